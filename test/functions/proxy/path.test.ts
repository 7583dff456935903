import { describe, expect, it } from 'vitest';
import type { ProxyPolicy } from '../../../functions/core/slot/connection.ts';
import { assertAllowed, encodePath } from '../../../functions/proxy/path.ts';
import { workforceConnection } from '../../simulation/connections.ts';

describe('encodePath', () => {
  it.each([
    ["a-._~!$&'()*+,;=:@z", "/a-._~!$&'()*+,;=:@z"],
    ['odata/Jobs(1)/@me', '/odata/Jobs(1)/@me'],
    ['Größe/a b', '/Gr%C3%B6%C3%9Fe/a%20b'],
    ['a#b[c]"<>^`{|}', '/a%23b%5Bc%5D%22%3C%3E%5E%60%7B%7C%7D'],
    ['a..;b/...;/..a', '/a..;b/...;/..a'],
    ['', '/'],
  ])('%s goes as %s: a segment keeps what RFC 3986 §3.3 has in it', (path, sent) => {
    expect(encodePath(path)).toBe(sent);
    expect(new URL(`https://upstream.example${sent}`).pathname.replaceAll('^', '%5E')).toBe(sent);
  });

  it.each([
    ...['..', '.', 'a/..', '../a', 'a/./b', 'a\\b', 'a%2fb', 'a?b', 'a\u0000b', 'a\u0085b', 'a\ud800'],
    // Servers that cut a segment at `;` before they resolve dots read these as dot segments.
    // And a server whose text is not Unicode makes these a slash or a backslash (best fit).
    ...['a\u2215b', 'a\u2044b', 'a\u2216b', '..\u2215admin'],
    ...['..;', 'a/..;/b', 'a/..;x=1/b', '.;/a', 'a/.;..'],
    // And those that parse a path again once it is decoded, these.
    ...['..#', 'a/..#x', '.#'],
    // More dots than two, of letters that look like them.
    ...['\u2025...', 'a/\u2026', '\uff0e\uff0e\uff0e'],
  ])('%j, which could mean another, is refused', (path) => {
    expect(() => encodePath(path)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

describe('assertAllowed', () => {
  const policy: ProxyPolicy = { methods: ['GET', 'HEAD'], paths: ['/'], headers: [], timeoutSeconds: 8 };
  const connection = workforceConnection();

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
  ])('goes by whole segments: under %s, %s is allowed: %s', (prefix, path, isAllowed) => {
    const check = () =>
      assertAllowed({ ...policy, paths: ['/elsewhere', prefix] }, { method: 'GET', path }, connection);
    if (isAllowed) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'proxy_not_allowed' }));
  });

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
