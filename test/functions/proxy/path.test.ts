import { describe, expect, it } from 'vitest';
import type { ProxyPolicy } from '../../../functions/core/slot/connection.ts';
import { assertAllowed, checkPath } from '../../../functions/proxy/path.ts';
import { workforceConnection } from '../../simulation/connections.ts';

const escaped = (path: string) => path.split('/').map(encodeURIComponent).join('/');

describe('checkPath', () => {
  it.each([
    ["a-._~!$&'()*+,;=:@z", "/a-._~!$&'()*+,;=:@z"],
    ['odata/Jobs(1)/@me', '/odata/Jobs(1)/@me'],
    ['Gr%C3%B6%C3%9Fe/a%20b', '/Gr%C3%B6%C3%9Fe/a%20b'],
    ['files/a%2Fb', '/files/a%2Fb'],
    ['a%3ab/%41', '/a%3ab/%41'],
    ['a%23b[c]"<>^`{|}', '/a%23b%5Bc%5D%22%3C%3E%5E%60%7B%7C%7D'],
    ['a..;b/...;/..a', '/a..;b/...;/..a'],
    ['', '/'],
  ])('%s goes as it was sent: %s', (path, sent) => {
    expect(checkPath(path)).toBe(sent);
    expect(new URL(`https://upstream.example${sent}`).pathname.replaceAll('^', '%5E')).toBe(sent);
  });

  it.each([
    ...['..', '.', 'a/..', '../a', 'a/./b', 'a\\b', 'a%252fb', 'a%3Fb', 'a%00b', 'a%C2%85b', 'a%', 'a%E4', 'a%zzb'],
    ...['%2e%2e', 'a/%2E./b', 'a%2F..%2Fb', '..%2fa', 'a%5Cb', 'a%EF%BC%8Fb'],
    // Servers that cut a segment at `;` before they resolve dots read these as dot segments.
    ...['..;', 'a/..;/b', 'a/..;x=1/b', '.;/a', 'a/.;..', 'a/..%3B/b'],
    // No client sends these: they were decoded on the way, and what else was cannot be known.
    ...['a b', 'Größe', 'a?b', 'a#b', 'a\u0000b', 'a\ud800'],
    ...[
      // A server whose text is not Unicode makes these a slash or a backslash (best fit).
      ...['a\u2215b', 'a\u2044b', 'a\u2216b', '..\u2215admin'],
      // Those that parse a path again once it is decoded read these as dot segments.
      ...['..#', 'a/..#x', '.#'],
      // More dots than two, of letters that look like them.
      ...['\u2025...', 'a/\u2026', '\uff0e\uff0e\uff0e'],
    ].map(escaped),
  ])('%j, which could mean another, is refused', (path) => {
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

describe('assertAllowed', () => {
  const policy: ProxyPolicy = { methods: ['GET', 'HEAD'], paths: ['/'], headers: [], timeoutSeconds: 8 };
  const connection = workforceConnection({ settings: { loginPath: '/AuthenticateEx', keepAlivePath: '/Ping' } });

  it.each([
    ['/jobs', '/jobs', true],
    ['/jobs', '/jobs/7', true],
    ['/jobs', '/jobsite', false],
    ['/jobs', '/other', false],
    ['/jobs/', '/jobs/7', true],
    ['/jobs/', '/jobs', false],
    ['/', '/anything/at/all', true],
    ['/job list', '/job%20list/7', true],
    ['/büro', '/b%C3%BCro', true],
    ['/what?', '/what%3F', true],
    ['/$&+,:;=@', '/$&+,:;=@/7', true],
    ['/$&+,:;=@', '/%24%26%2b%2C%3a%3B%3D%40/7', true],
    ['/jobs', '/%6Aobs/7', true],
    ['/jobs', '/jobs/a%2Fb', true],
    ['/jobs', '/jobs%2F7', false],
    ['/jobs/a/b', '/jobs/a%2Fb', false],
  ])('goes by whole segments: under %s, %s is allowed: %s', (prefix, path, isAllowed) => {
    const check = () =>
      assertAllowed({ ...policy, paths: ['/elsewhere', prefix] }, { method: 'GET', path }, connection);
    if (isAllowed) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'proxy_not_allowed' }));
  });

  it.each(['/AuthenticateEx', '/%41uthenticateEx', '/%2FAuthenticateEx', '/AuthenticateEx%2Fx'])(
    'never allows a login, however it is written: %s',
    (path) => {
      expect(() => assertAllowed(policy, { method: 'GET', path }, connection)).toThrow('alone logs in and out');
    },
  );

  it.each([
    ['POST', '/a'],
    ['get', '/a'],
    ['GET', '/c'],
  ])('names methods and paths to whoever steps outside with %s %s', (method, path) => {
    const check = () => assertAllowed({ ...policy, paths: ['/a', '/b'] }, { method, path }, connection);
    expect(check).toThrow(expect.objectContaining({ code: 'proxy_not_allowed' }));
    for (const named of ['wfm', 'GET, HEAD', '/a, /b']) expect(check).toThrow(named);
  });
});
