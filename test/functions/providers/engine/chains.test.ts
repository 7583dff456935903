import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../../functions/core/slot/provider.ts';
import { BEARER, body, IN_SECONDS } from '../../../../functions/providers/provider.ts';
import {
  answeredBy,
  answeredInTurn,
  connectionOf,
  failureIn,
  providerWith,
  secretOf,
  tokenIn,
} from '../provider-harness.ts';
import { ecKey } from '../test-keys.ts';

const HOST = 'https://upstream.example';
const NOW = 1_800_000_000_000;
const secret = secretOf({ id: 'me', key: 'the-one-key' });
const timeoutMs = 6_000;

type Turns = Parameters<typeof answeredInTurn>;

function loginBy(provider: Provider, answers: Turns[0], options?: Turns[1], subject = 'system') {
  const { upstream, sent } = answeredInTurn(answers, options);
  const connection = connectionOf('any', HOST, { provider });
  return { outcome: upstream.login({ connection, subject, secret, timeoutMs }), sent };
}

/** A ticket for the key, a session for the ticket, and the token for both. */
const chained = providerWith({
  userSubject: { pattern: '[0-9]{1,9}' },
  logins: {
    system: [
      { url: '/ticket', json: { key: '{key}' }, reads: { ticket: body('ticket'), life: body('life') } },
      { method: 'GET', url: '/sessions/{ticket}', reads: { session: { in: 'cookie', name: 'S' } } },
      {
        url: '/token',
        headers: { 'x-ticket': 'Ticket {ticket}', cookie: 'S={session}' },
        form: { id: '{id}' },
        reads: { token: body('token') },
      },
    ],
    user: [
      { url: '/login', form: { key: '{key}' }, reads: { admin: body('token') } },
      {
        url: '/login/{subject}',
        headers: { 'x-admin': '{admin}' },
        reads: { token: body('token'), life: body('life') },
      },
    ],
  },
  lifetime: IN_SECONDS,
});

const ticket = { body: '{"ticket":"t/1","life":600}' };
const session = { headers: { 'set-cookie': ['S=s-1; Path=/'] } };

describe('a login of several requests', () => {
  it('feeds what each answer gives to the next, and takes the token of the last', async () => {
    const { outcome, sent } = loginBy(chained, [ticket, session, { body: '{"token":"abc"}' }], { now: NOW });
    const issued = tokenIn(await outcome);
    expect(issued.value.reveal()).toBe('abc');
    expect(issued.life).toEqual({ seconds: 600 });
    expect(issued.requestStartedAt).toBe(NOW);
    expect(sent).toMatchObject([
      { method: 'POST', url: `${HOST}/ticket`, body: '{"key":"the-one-key"}' },
      { method: 'GET', url: `${HOST}/sessions/t%2F1` },
      { method: 'POST', url: `${HOST}/token`, headers: { 'x-ticket': 'Ticket t/1', cookie: 'S=s-1' }, body: 'id=me' },
    ]);
  });

  it('of a user asks with the system’s token for theirs', async () => {
    const { outcome, sent } = loginBy(chained, [{ body: '{"token":"adm"}' }, { body: '{"token":"abc"}' }], {}, '7');
    expect(tokenIn(await outcome).value.reveal()).toBe('abc');
    expect(sent[1]).toMatchObject({ url: `${HOST}/login/7`, headers: { 'x-admin': 'adm' } });
  });

  it.each([
    ['first', [{ status: 401 }], 'upstream_credential_rejected', 'refused'],
    ['first', [{ status: 503 }], 'upstream_unavailable', 'not_judged'],
    ['second', [ticket, { status: 401 }], 'upstream_credential_rejected', 'refused'],
    ['second', [ticket, { status: 429, headers: { 'retry-after': ['7'] } }], 'upstream_throttled', 'unknown'],
    ['second', [ticket, { status: 503 }], 'upstream_unavailable', 'unknown'],
    ['second', [ticket, { status: 403, body: '<html>' }], 'upstream_login_ambiguous', 'unknown'],
    ['second', [ticket, { status: 404 }], 'upstream_invalid_response', 'unknown'],
    ['third', [ticket, session, { status: 500 }], 'upstream_login_ambiguous', 'ambiguous_login'],
    ['third', [ticket, session, { body: '{}' }], 'upstream_invalid_response', 'unknown'],
  ] as const)('ends with the %s answer that fails: %j', async (_, answers, code, backOff) => {
    const { outcome, sent } = loginBy(chained, answers);
    const failed = failureIn(await outcome);
    expect(failed).toMatchObject({ code, backOff });
    expect(failed.retryAfterMs).toBe(code === 'upstream_throttled' ? 7_000 : undefined);
    expect(sent).toHaveLength(answers.length);
  });

  it.each([
    ['a member', '{}'],
    ['a value', '{"ticket":null}'],
    ['a text', '{"ticket":{"a":1}}'],
    ['JSON', '<html>'],
  ])('goes no further where the next request would lack what it needs: %s', async (_, content) => {
    const { outcome, sent } = loginBy(chained, [{ body: content }]);
    expect(failureIn(await outcome)).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    expect(sent).toHaveLength(1);
  });

  it('takes what an answer says in place of a value for what it is', async () => {
    const { outcome, sent } = loginBy(chained, [{ body: '{"error":"invalid_client"}' }]);
    expect(failureIn(await outcome)).toMatchObject({ code: 'upstream_credential_rejected' });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['no header can carry', '{"ticket":"t\\r\\nx: y"}', 'has characters that no header may carry'],
    ['leads to another path', '{"ticket":".."}', 'leads elsewhere'],
  ])('blames the upstream, not the secret, for a value that %s', async (_, content, why) => {
    const { outcome, sent } = loginBy(chained, [{ body: content }, session]);
    const failed = failureIn(await outcome);
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    expect(failed.detail).toContain(why);
    expect(sent.length).toBeLessThan(3);
  });

  it('blames the setting, not the secret, for one that no header can carry', async () => {
    const provider = providerWith({
      secretFields: { id: {}, key: {} },
      settings: { audience: { kind: 'text' } },
      logins: { system: [{ url: '/', headers: { 'x-audience': '{audience}' }, reads: { token: body('token') } }] },
    });
    const { upstream, sent } = answeredBy({ body: '{}' });
    const connection = connectionOf('any', HOST, { provider, settings: { audience: 'caf\u00e9' } });
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs }));
    expect(failed).toMatchObject({ code: 'upstream_request_rejected', backOff: 'misconfigured' });
    expect(failed.detail).toContain('audience');
    expect(sent).toHaveLength(0);
  });

  it('passes on a broken character as its replacement, and never throws', async () => {
    const { outcome, sent } = loginBy(chained, [{ body: '{"ticket":"t\\ud800"}' }, { status: 404 }]);
    expect(failureIn(await outcome).code).toBe('upstream_invalid_response');
    expect(sent[1]?.url).toBe(`${HOST}/sessions/t%EF%BF%BD`);
  });

  it('survives an answer that is nested without end', async () => {
    const deep = `{"ticket":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(failureIn(await loginBy(chained, [{ body: deep }]).outcome).code).toBe('upstream_invalid_response');
  });

  it('never repeats what an earlier answer gave (C12)', async () => {
    const provider = providerWith({ ...chained, refusal: { flag: 'ok', message: 'why' } });
    const first = { body: '{"ticket":"tick-et1"}' };
    const said = (why: string) => ({ body: JSON.stringify({ ok: false, why }) });
    const quoting = failureIn(await loginBy(provider, [first, said('Ticket tick-et1 is spent')]).outcome);
    expect(quoting.code).toBe('upstream_credential_rejected');
    expect(quoting.detail).not.toContain('It said');
    const plain = failureIn(await loginBy(provider, [first, said('That is spent')]).outcome);
    expect(plain.detail).toContain('It said: "That is spent".');
  });
});

describe('the time of a login', () => {
  const answers = [ticket, session, { body: '{"token":"abc"}' }];

  it('is one for the whole chain: each request has what is left', async () => {
    const { outcome, sent } = loginBy(chained, answers, { takesMs: 2_500 });
    tokenIn(await outcome);
    expect(sent.map(({ timeoutMs: left }) => left)).toEqual([6_000, 3_500, 1_000]);
  });

  it.each([3_000, 6_000, 60_000])(
    'ends the chain before a request that could not be answered: %i ms each',
    async (takesMs) => {
      const { outcome, sent } = loginBy(chained, answers, { takesMs });
      expect(failureIn(await outcome)).toMatchObject({ code: 'upstream_timeout', backOff: 'unknown' });
      expect(sent).toHaveLength(takesMs === 3_000 ? 2 : 1);
    },
  );

  it.each([
    ['connect', 'upstream_unreachable'],
    ['dns', 'upstream_unreachable'],
    ['timeout', 'upstream_timeout'],
  ] as const)(
    'is not soon taken again where a later request is not sent (%s): a login may have counted',
    async (reason, code) => {
      const unsent = { kind: 'failure', reason, sent: false } as const;
      expect(failureIn(await loginBy(chained, [unsent]).outcome)).toMatchObject({ code, backOff: 'not_judged' });
      expect(failureIn(await loginBy(chained, [ticket, unsent]).outcome)).toMatchObject({ code, backOff: 'unknown' });
    },
  );
});

describe('a token that is signed here', () => {
  const { pkcs8, publicKey } = ecKey('P-256');
  const provider = providerWith({
    secretFields: { id: {}, key: { kind: 'pem' } },
    derived: {
      token: { jwt: { alg: 'ES256', key: '{key}', claims: { iss: '{id}' }, lifeSeconds: 1140 } },
      pair: { base64: '{id}:{token}' },
    },
    logins: { system: [] },
    placement: { headers: { authorization: 'Bearer {token}', 'x-pair': '{pair}' } },
    lifetime: [{ jwt: 'token' }],
  });

  it('is sent for nothing, lives as long as it says, and other values may be made of it', async () => {
    const { upstream, sent } = answeredBy({}, NOW);
    const connection = connectionOf('any', HOST, { provider });
    const attempt = { connection, subject: 'system', secret: secretOf({ id: 'me', key: pkcs8 }), timeoutMs };
    const issued = tokenIn(await upstream.login(attempt));
    const token = issued.value.reveal();
    const { payload } = await jwtVerify(token, publicKey, { currentDate: new Date(NOW) });
    expect(payload).toEqual({ iss: 'me', iat: NOW / 1000, exp: NOW / 1000 + 1140 });
    expect(issued).toMatchObject({ life: { exp: NOW + 1_140_000 }, requestStartedAt: NOW, attributes: {} });
    expect(issued.closed?.reveal()).toEqual({ pair: Buffer.from(`me:${token}`).toString('base64') });
    expect(sent).toEqual([]);
  });
});

describe('what is kept of a login', () => {
  const answer = { body: '{"token":"abc","refresh":"r-1","instance":"https://a.pods.example","other":"x"}' };
  const reads = { token: body('token'), refresh: body('refresh'), instance: body('instance'), other: body('other') };
  const provider = providerWith({
    derived: { pair: { base64: '{token}:{instance}' } },
    logins: { system: [{ url: '/login', reads }] },
    placement: {
      headers: { ...BEARER, 'x-key': '{key}', 'x-pair': '{pair}' },
      baseUrl: '{instance}',
      hosts: ['*.pods.example'],
    },
    renewal: { refresh: [{ url: '/token', form: { refresh: '{refresh}' }, reads: { token: body('token') } }] },
  });

  it('is what an API call or a renewal needs, closed where it is of the credential or renews', async () => {
    const issued = tokenIn(await loginBy(provider, [answer]).outcome);
    const pair = Buffer.from('abc:https://a.pods.example').toString('base64');
    expect(issued.values).toEqual({ instance: 'https://a.pods.example', pair });
    expect(issued.closed?.reveal()).toEqual({ key: 'the-one-key', refresh: 'r-1' });
    expect(JSON.stringify(issued)).not.toContain('the-one-key');
    expect(JSON.stringify(issued)).not.toContain('r-1');
  });

  it('is nothing of an address that the provider does not name: then there is no token either', async () => {
    const misled = { body: '{"token":"abc","refresh":"r-1","instance":"https://evil.example"}' };
    const failed = failureIn(await loginBy(provider, [misled]).outcome);
    const evidence = "the API's address in the answer";
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown', evidence });
    expect(JSON.stringify(failed)).not.toMatch(/evil|abc/);
  });

  it('is nothing where an API call carries the token alone', async () => {
    const issued = tokenIn(await loginBy(providerWith(), [{ body: '{"token":"abc"}' }]).outcome);
    expect(issued).not.toHaveProperty('values');
    expect(issued).not.toHaveProperty('closed');
  });

  it('warns of an end that cannot be read, and of the credential before it', async () => {
    const ends = providerWith({
      secretFields: { id: { suspect: 'm' }, key: {} },
      logins: { system: [{ url: '/', reads: { token: body('token'), life: body('life') } }] },
      lifetime: IN_SECONDS,
    });
    const { upstream } = answeredBy({ body: '{"token":"abc","life":"soon"}' });
    const connection = connectionOf('any', HOST, { provider: ends });
    const attempt = { connection, subject: 'system', timeoutMs };
    const plain = await upstream.login({ ...attempt, secret: secretOf({ id: 'a', key: 'b' }) });
    expect(plain).toMatchObject({ tokenWarning: expect.stringContaining('`life`') });
    expect(plain).not.toHaveProperty('warning');
    const both = await upstream.login({ ...attempt, secret });
    expect(both.warning).toContain('`id` holds "m"');
    expect(both).toMatchObject({ tokenWarning: expect.stringContaining('`life`') });
  });
});
