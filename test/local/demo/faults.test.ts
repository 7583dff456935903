import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnyUpstream, everyUpstream, sendJson } from './demo-client.ts';

/** The start of a good token of each upstream. */
const TOKEN_START = /^(eyJ|\+\/|at_)/;
const TOKEN_MEMBERS = ['token', 'authToken', 'access_token'];
const ROTATED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  helpmaster: { apiKey: 'new' },
  community: { username: 'svc.api', password: 'new' },
  oauth: { clientId: 'broker:demo', clientSecret: 'new' },
};

describe.each(everyUpstream)('the faults of the demo %s', (name, start) => {
  let upstream: AnyUpstream;
  let token: string;
  beforeEach(async () => {
    upstream = await start();
    token = upstream.tokenOf(await upstream.login());
    upstream.clearLedger();
  });
  afterEach(() => upstream.close());

  const loginStatuses = () => upstream.ledger().logins.map(({ status }) => status);
  const callStatuses = () => upstream.ledger().calls.map(({ status }) => status);

  it('forces a status at login, and none at calls', async () => {
    upstream.setKnobs({ loginStatus: 503 });
    expect((await upstream.login()).status).toBe(503);
    expect((await upstream.call(token)).status).toBe(200);
    expect(loginStatuses()).toEqual([503]);
  });

  it('forces a status at calls, and none at login', async () => {
    upstream.setKnobs({ callStatus: 403 });
    expect((await upstream.call(token)).status).toBe(403);
    expect((await upstream.login()).status).toBe(200);
    expect(callStatuses()).toEqual([403]);
  });

  it.each([403, 423, 429, 500, 502, 503, 504])(
    'sends Retry-After with a forced %i, and not without the knob',
    async (status) => {
      upstream.setKnobs({ loginStatus: status, retryAfter: '17' });
      expect((await upstream.login()).headers['retry-after']).toBe('17');
      upstream.setKnobs({ retryAfter: null });
      expect((await upstream.login()).headers['retry-after']).toBeUndefined();
    },
  );

  it.each([
    ['html', '<h1>Request blocked</h1>'],
    ['json', '{"message":"Forbidden"}'],
    ['empty', ''],
  ] as const)('is behind a firewall that answers %s in its place, for a while', async (body, text) => {
    upstream.setKnobs({ firewall: { status: 403, body, seconds: 600 }, retryAfter: '17' });
    for (const received of [await upstream.login(), await upstream.call(token)]) {
      expect(received).toMatchObject({ status: 403, headers: { 'retry-after': '17' } });
      expect(received.text).toContain(text);
    }
    expect(upstream.ledger()).toMatchObject({
      logins: [{ subject: 'unknown', status: 403 }],
      calls: [{ subject: 'unknown', status: 403 }],
    });
    upstream.setKnobs({ retryAfter: null });
    expect((await upstream.login()).headers['retry-after']).toBeUndefined();

    upstream.setKnobs({ firewall: { status: 403, body, seconds: 0 } });
    expect(upstream.tokenOf(await upstream.login())).toMatch(TOKEN_START);
    upstream.setKnobs({ firewall: { status: 401, body, seconds: null } });
    expect((await upstream.login()).status).toBe(401);
    upstream.setKnobs({ firewall: null });
    expect((await upstream.call(token)).status).toBe(200);
  });

  it('takes the new credential and refuses the old one once the credential is rotated', async () => {
    const rotated = ROTATED[name];
    const received = await sendJson(`${upstream.url}/__demo/knobs`, { credential: rotated }, 'PUT');
    expect(received.json?.['credential']).toEqual(rotated);
    expect(upstream.tokenOf(await upstream.loginWith('new'))).toMatch(TOKEN_START);
    expect(upstream.tokenOf(await upstream.login())).not.toMatch(TOKEN_START);
    expect((await upstream.call(token)).status).toBe(200);
  });

  it('delays any answer, after it counted the request', async () => {
    upstream.setKnobs({ delayMs: 60_000 });
    const login = upstream.login().catch(() => 'closed');
    await expect.poll(loginStatuses).toEqual([200]);
    const call = upstream.call(token).catch(() => 'closed');
    await expect.poll(callStatuses).toEqual([200]);
    await upstream.close();
    expect(await Promise.all([login, call])).toEqual(['closed', 'closed']);
  });

  it('answers whole after the delay', async () => {
    upstream.setKnobs({ delayMs: 50 });
    const startedAt = performance.now();
    expect((await upstream.call(token)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(49);
  });

  it('delays only calls by delayCallMs', async () => {
    upstream.setKnobs({ delayCallMs: 60_000 });
    expect((await upstream.login()).status).toBe(200);
    const call = upstream.call(token).catch(() => 'closed');
    await expect.poll(callStatuses).toEqual([200]);
    await upstream.close();
    expect(await call).toBe('closed');
  });

  it('repeats Retry-After as often as it is told to', async () => {
    upstream.setKnobs({ loginStatus: 503, retryAfter: '17', retryAfterTimes: 2 });
    expect((await upstream.login()).headers['retry-after']).toMatch(/^17(?:, 17)?$/);
  });

  it.each([
    ['imf', /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/],
    ['rfc850', /^\w+day, \d\d-\w{3}-\d\d [\d:]{8} GMT$/],
    ['asctime', /^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}$/],
  ] as const)('writes Date in the form %s, by a clock that is wrong in Date alone', async (dateForm, form) => {
    upstream.setKnobs({ dateForm, dateOffsetSeconds: -28_800 });
    const { date } = (await upstream.login()).headers;
    expect(date).toMatch(form);
    const said = Date.parse(dateForm === 'asctime' ? `${date} GMT` : String(date));
    expect(Math.abs(said + 28_800_000 - Date.now())).toBeLessThan(10_000);
    expect((await upstream.call(token)).status).toBe(200);
  });

  it('blocks a client that does not name itself, where it is told to', async () => {
    upstream.setKnobs({ needsUserAgent: true });
    expect((await upstream.login()).status).toBe(403);
    expect(loginStatuses()).toEqual([403]);
  });

  it.each(['gzip', 'deflate', 'raw-deflate', 'utf-8', 'none'] as const)(
    'answers a login in the coding %s',
    async (contentEncoding) => {
      upstream.setKnobs({ contentEncoding });
      const { status, headers } = await upstream.login();
      expect(status).toBe(200);
      expect(headers['content-encoding']).toBe(contentEncoding === 'raw-deflate' ? 'deflate' : contentEncoding);
    },
  );

  it('answers a login in the charset windows-1252', async () => {
    upstream.setKnobs({ charset: 'windows-1252' });
    expect((await upstream.login()).headers['content-type']).toBe('application/json; charset=windows-1252');
  });

  it.each([
    ['with-scheme', /^Bearer \S/],
    ['quoted', /^".*"$/],
    ['with-blank', /^.{8} \S/],
    ['long', /^.{16384}$/],
    ['too-long', /^.{16385}$/],
  ] as const)('gives a token %s', async (fault, form) => {
    upstream.setKnobs({ token: fault });
    expect(upstream.tokenOf(await upstream.login())).toMatch(form);
  });

  it('delays only logins by delayLoginMs', async () => {
    upstream.setKnobs({ delayLoginMs: 60_000 });
    const login = upstream.login().catch(() => 'closed');
    await expect.poll(loginStatuses).toEqual([200]);
    expect((await upstream.call(token)).status).toBe(200);
    await upstream.close();
    expect(await login).toBe('closed');
  });

  it('resets before it counts, or after', async () => {
    upstream.setKnobs({ reset: 'before' });
    await expect(upstream.login()).rejects.toThrow(/ECONNRESET|hang up/);
    await expect(upstream.call(token)).rejects.toThrow(/ECONNRESET|hang up/);
    expect(upstream.ledger()).toEqual({ logins: [], slides: [], calls: [] });

    upstream.setKnobs({ reset: 'after' });
    await expect(upstream.login()).rejects.toThrow(/ECONNRESET|hang up/);
    await expect(upstream.call(token)).rejects.toThrow(/ECONNRESET|hang up/);
    expect(loginStatuses()).toEqual([0]);
    expect(callStatuses()).toEqual([0]);
  });

  it('hangs for ever once it counted, until it is closed', async () => {
    upstream.setKnobs({ hang: true });
    const login = upstream.login().then(
      () => 'answered',
      () => 'closed',
    );
    await expect.poll(loginStatuses).toEqual([0]);
    upstream.setKnobs({ hang: false });
    expect((await upstream.login()).status).toBe(200);
    await upstream.close();
    expect(await login).toBe('closed');
  });

  it('drips the body byte by byte, and it is whole in the end', async () => {
    upstream.setKnobs({ slowDrip: true, dripEveryMs: 1 });
    const received = await upstream.login();
    expect(upstream.tokenOf(received)).toMatch(TOKEN_START);
    expect(Number(received.headers['content-length'])).toBe(received.body.length);
  });

  it('sends login and calls elsewhere, to another host if told so', async () => {
    upstream.setKnobs({ redirectTo: 'http://127.0.0.2:9/elsewhere' });
    for (const received of [await upstream.login(), await upstream.call(token)]) {
      expect(received.status).toBe(307);
      expect(received.headers.location).toBe('http://127.0.0.2:9/elsewhere');
    }
    expect(loginStatuses()).toEqual([307]);
  });

  it('answers HTML, nothing, or broken JSON at login, and calls stay whole', async () => {
    upstream.setKnobs({ body: 'html' });
    const html = await upstream.login();
    expect(html.headers['content-type']).toContain('text/html');
    expect(html.json).toBeUndefined();
    upstream.setKnobs({ body: 'empty' });
    expect((await upstream.login()).body).toHaveLength(0);
    upstream.setKnobs({ body: 'invalid-json' });
    const broken = await upstream.login();
    expect(broken.text).toMatch(/^\{/);
    expect(broken.json).toBeUndefined();
    expect((await upstream.call(token)).json).toMatchObject({ method: 'GET', headerNames: expect.any(Array) });
  });

  it('answers a gzip bomb that is small on the wire', async () => {
    upstream.setKnobs({ body: 'gzip-bomb' });
    const received = await upstream.login();
    expect(received.headers['content-encoding']).toBe('gzip');
    expect(received.body.length).toBeLessThan(64 * 1024);
    expect(gunzipSync(received.body).length).toBeGreaterThan(32 * 1024 * 1024);
  });

  it('answers an oversized body that is right but for its size', async () => {
    upstream.setKnobs({ body: 'oversized' });
    const received = await upstream.login();
    expect(received.body.length).toBeGreaterThan(1024 * 1024);
    expect(upstream.tokenOf(received)).toMatch(TOKEN_START);
  });

  it('spoils the token of a login in each way', async () => {
    const tokenAt = async () => {
      const { json } = await upstream.login();
      const holder = json?.['Data'] ?? json;
      expect(holder).toBeTypeOf('object');
      return Object.entries(holder ?? {}).find(([member]) => TOKEN_MEMBERS.includes(member))?.[1];
    };
    upstream.setKnobs({ token: 'missing' });
    expect(await tokenAt()).toBeUndefined();
    upstream.setKnobs({ token: 'empty' });
    expect(await tokenAt()).toBe('');
    upstream.setKnobs({ token: 'crlf' });
    expect(await tokenAt()).toMatch(/\r\nX-Injected: 1$/);
    upstream.setKnobs({ token: 'oversized' });
    expect(await tokenAt()).toMatch(/^[\x21-\x7e]{32768}$/);
    upstream.setKnobs({ token: 'non-string' });
    expect(await tokenAt()).toBeTypeOf('number');
  });

  it('ends every token issued so far when revokeIssued is set, once', async () => {
    expect(upstream.setKnobs({ revokeIssued: true }).revokeIssued).toBe(false);
    expect((await upstream.call(token)).status).toBe(401);
    const fresh = upstream.tokenOf(await upstream.login());
    expect((await upstream.call(fresh)).status).toBe(200);
  });

  it('ends a token when its life is over, by its own clock', async () => {
    const { lifetimeSeconds } = upstream.knobs();
    upstream.setKnobs({ clockOffsetSeconds: lifetimeSeconds - 5 });
    expect((await upstream.call(token)).status).toBe(200);
    upstream.setKnobs({ clockOffsetSeconds: lifetimeSeconds + 5 });
    expect((await upstream.call(token)).status).toBe(401);
  });

  it.each([-600, 600])('is %i seconds off in its Date header', async (offset) => {
    upstream.setKnobs({ clockOffsetSeconds: offset });
    const received = await upstream.login();
    const ahead = Date.parse(String(received.headers.date)) - Date.now();
    expect(Math.abs(ahead / 1000 - offset)).toBeLessThan(10);
  });

  it('sends no Date when told so', async () => {
    upstream.setKnobs({ dateHeader: false });
    expect((await upstream.login()).headers.date).toBeUndefined();
    expect((await upstream.call(token)).headers.date).toBeUndefined();
  });

  it('locks the account after so many wrong logins in a row, even for the right credential, until unlocked', async () => {
    upstream.setKnobs({ lockAfter: 2 });
    await upstream.loginWith('wrong');
    await upstream.login();
    await upstream.loginWith('wrong');
    expect(upstream.knobs().locked).toBe(false);
    await upstream.loginWith('wrong');
    expect(upstream.knobs().locked).toBe(true);
    expect((await upstream.login()).text).toContain('locked');
    expect((await upstream.call(token)).status).toBe(200);

    upstream.setKnobs({ locked: false });
    await upstream.loginWith('wrong');
    expect(upstream.knobs().locked).toBe(false);
    expect(upstream.tokenOf(await upstream.login())).toMatch(TOKEN_START);
  });

  it('never writes a token or a credential into the ledger', async () => {
    const received = await upstream.login();
    await upstream.loginWith('wrong');
    await upstream.call(upstream.tokenOf(received));
    const ledger = JSON.stringify(upstream.ledger());
    expect(upstream.ledger().logins).toHaveLength(2);
    for (const secret of [
      upstream.tokenOf(received),
      ...Object.values(Object(Reflect.get(upstream.knobs(), 'credential'))),
    ]) {
      expect(ledger).not.toContain(secret);
    }
  });

  it('is well after a client that left in mid-body and after a body too large', async () => {
    const half = connect(Number(new URL(upstream.url).port), '127.0.0.1');
    const head = 'POST /user/gettoken HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{';
    await new Promise<void>((resolve) => half.write(head, () => resolve()));
    half.destroy();
    const large = await sendJson(`${upstream.baseUrl}/x`, 'x'.repeat(9 * 1024 * 1024)).then(
      ({ status }) => status,
      () => 'reset',
    );
    expect([413, 'reset']).toContain(large);
    expect((await upstream.login()).status).toBe(200);
  });
});
