import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import * as changes from '../../../functions/core/slot/changes.ts';
import { slotOf } from '../../../functions/core/slot/slot.ts';
import { CALLER, problemWith, REQUEST_ID, startFunctionsUnderTest } from '../api/functions-under-test.ts';

const broker = await startFunctionsUnderTest(({ helpmaster, community }) => ({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster, maxTokenAgeSeconds: 7200 },
    wfm: { provider: 'community-web-api', baseUrl: community },
    many: { provider: 'helpmaster', baseUrl: helpmaster },
    plain: { provider: 'helpmaster', baseUrl: 'http://helpmaster.internal', allowPlainHttp: true },
    faulty: { provider: 'helpmaster', baseUrl: helpmaster },
    books: { provider: 'oauth-refresh-token', baseUrl: 'https://books.example.com' },
    signed: { provider: 'oauth-private-key-jwt', baseUrl: 'https://login.example', algorithm: 'ES256' },
    keyed: { provider: 'github-app', baseUrl: 'https://api.github.example' },
  },
}));
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

const status = (connection: string, query = '') => broker.call({ path: `/connections/${connection}`, query });
const purge = (path: string) => broker.call({ method: 'DELETE', path: `/tokens/${path}` });
const NO_STORE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** Takes the lease of a slot, as a caller's function does before it invokes `mint`. */
async function lease(connection: string, subject: string): Promise<void> {
  const own = broker.configuration.connections[connection];
  if (own === undefined) throw new Error(`There is no connection ${connection}.`);
  const now = Date.now();
  const claim = changes.acquire({
    leaseId: randomUUID(),
    now,
    leaseUntil: now + 60_000,
    notBefore: now + 60_000,
    ttlSeconds: Math.ceil(now / 1000) + 86_400,
    seen: undefined,
  });
  expect(await broker.store.write(slotOf(own, subject), claim)).toBe(true);
}

describe('GET /connections', () => {
  it('lists every connection with its provider and life, from the configuration alone', async () => {
    const answer = await broker.call({ path: '/connections' });
    expect(answer).toMatchObject({ status: 200, headers: NO_STORE });
    expect(answer.json).toEqual({
      connections: [
        { name: 'helpdesk', provider: 'helpmaster', lifetime_seconds: 7200 },
        { name: 'wfm', provider: 'community-web-api', lifetime_seconds: 1200 },
        { name: 'many', provider: 'helpmaster', lifetime_seconds: 86_400 },
        {
          name: 'plain',
          provider: 'helpmaster',
          lifetime_seconds: 86_400,
          warning: expect.stringContaining('in the clear'),
        },
        { name: 'faulty', provider: 'helpmaster', lifetime_seconds: 86_400 },
        { name: 'books', provider: 'oauth-refresh-token', lifetime_seconds: 86_400 },
        { name: 'signed', provider: 'oauth-private-key-jwt', lifetime_seconds: 86_400 },
        { name: 'keyed', provider: 'github-app', lifetime_seconds: 86_400 },
      ],
    });
    expect(broker.downstream()).toEqual({});
  });
});

describe('GET /connections/{connection}', () => {
  it('names the field that rotates and the secret that its next value is kept in, and no value', async () => {
    const { json } = await status('books');

    expect(json).toMatchObject({ kept_secret: 'token-broker/books/kept', slots: [] });
    expect(json['secret_fields']).toContainEqual({ name: 'refreshToken', kind: 'text', required: true, rotates: true });
    expect(json['credential']).toEqual({ standing: 'unproven', takes_candidates: false });
  });

  it.each([
    ['signed', { algorithm: 'ES256', type: 'ec', curve: 'prime256v1', words: 'an EC key on the curve P-256' }],
    ['keyed', { algorithm: 'RS256', type: 'rsa', bits: 2048, words: 'an RSA key' }],
  ])('says of %s which private key its secret must hold', async (connection, key) => {
    const { json } = await status(connection);
    expect(json['secret_fields']).toContainEqual({ name: 'privateKey', kind: 'pem', required: true, key });
    expect(JSON.stringify(json['secret_fields']).match(/"key":/g)).toHaveLength(1);
  });

  it('tells of a fresh slot when it was issued, when it ends and is due, and never its token', async () => {
    const { json: handOut } = await broker.call({ path: '/tokens/helpdesk/88' });
    const answer = await status('helpdesk');
    expect(answer).toMatchObject({ status: 200, headers: NO_STORE });
    expect(answer.json).toEqual({
      name: 'helpdesk',
      provider: 'helpmaster',
      lifetime_seconds: 7200,
      secret: 'token-broker/helpdesk',
      secret_fields: [{ name: 'apiKey', kind: 'text', required: true }],
      subjects: {
        system: true,
        users: {
          key: 'staff',
          pattern: '[1-9][0-9]{0,9}',
          words: 'a staff PKID: a positive integer without leading zeros, at most 2147483647',
          listed: null,
        },
      },
      credential: { standing: 'proven', takes_candidates: true },
      slots: [
        {
          subject: '88',
          state: 'fresh',
          issued_at: handOut['issued_at'],
          expires_at: handOut['expires_at'],
          refresh_at: handOut['refresh_at'],
          generation: 1,
          last_error: null,
        },
      ],
    });
    expect(answer.body).not.toContain(String(handOut['access_token']).slice(0, 20));
    expect(answer.body).not.toContain(broker.configuration.connections['helpdesk']?.fingerprint);
  });

  it('tells of a slot with a live lease that it is refreshing', async () => {
    await lease('helpdesk', '42');
    expect((await status('helpdesk')).json['slots']).toContainEqual({
      subject: '42',
      state: 'refreshing',
      issued_at: null,
      expires_at: null,
      refresh_at: null,
      generation: 0,
      last_error: null,
    });
  });

  it('tells of a slot that failed that it is in cooldown, why and since when', async () => {
    broker.helpmaster.setKnobs({ loginStatus: 502 });
    await broker.call({ path: '/tokens/faulty/system' });
    broker.helpmaster.setKnobs({ loginStatus: null });
    expect((await status('faulty')).json['slots']).toEqual([
      {
        subject: 'system',
        state: 'cooldown',
        issued_at: null,
        expires_at: null,
        refresh_at: null,
        generation: 0,
        last_error: {
          code: 'upstream_unavailable',
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          evidence: 'the status 502 with JSON of its own shape',
        },
      },
    ]);
  });

  it('tells of a slot that was purged that it is empty', async () => {
    await broker.call({ path: '/tokens/wfm/system' });
    await purge('wfm/system');
    expect((await status('wfm')).json['slots']).toMatchObject([{ state: 'empty', generation: 2, expires_at: null }]);
  });

  it('pages through many slots, each once', async () => {
    const subjects = Array.from({ length: 101 }, (_, index) => String(index + 1));
    for (const subject of subjects) await lease('many', subject);
    const first = await status('many');
    expect(first.json['slots']).toHaveLength(100);
    expect(first.json['next']).toBeTypeOf('string');
    const second = await status('many', `next=${encodeURIComponent(String(first.json['next']))}`);
    expect(second.json['next']).toBeUndefined();
    const seen = [first, second].flatMap(({ json }) => json['slots'] as { subject: string }[]);
    expect(seen.map(({ subject }) => subject).sort()).toEqual(subjects.toSorted());
  });

  it('takes a made-up next for no fault of its own', async () => {
    for (const next of ['', 'x', '%00', '__proto__', 'zzz#zzz'.repeat(50)]) {
      const answer = await status('many', `next=${encodeURIComponent(next)}`);
      expect([200, 400]).toContain(answer.status);
    }
  });

  it('is 404 unknown_connection for a name that is not configured', async () => {
    for (const name of ['nowhere', '__proto__', 'constructor']) {
      expect(await status(name)).toMatchObject(problemWith(404, 'unknown_connection'));
    }
    expect(broker.downstream()).toEqual({});
  });
});

describe('DELETE /tokens/{connection}/{subject}', () => {
  it('answers 204 without a body or a write where there is nothing', async () => {
    expect(await purge('helpdesk/7')).toEqual({
      status: 204,
      headers: { 'cache-control': 'no-store' },
      body: '',
      json: {},
    });
    expect(broker.downstream()).toEqual({ 'dynamodb.GetItem': 1 });
  });

  it('drops the token, clears a back-off, and says who did it', async () => {
    await purge('faulty/system');
    broker.helpmaster.setKnobs({ loginStatus: 500 });
    expect((await broker.call({ path: '/tokens/faulty/88' })).json).toMatchObject({ code: 'upstream_login_ambiguous' });
    broker.helpmaster.setKnobs({ loginStatus: null });
    expect((await broker.call({ path: '/tokens/faulty/88' })).json).toMatchObject({ code: 'cooldown' });

    expect(await purge('faulty/88')).toMatchObject({ status: 204 });
    expect(broker.log().findLast((line) => line['message'] === 'A slot was purged.')).toMatchObject({
      connection: 'faulty',
      subject: '88',
      caller: CALLER,
      requestId: REQUEST_ID,
    });
    expect((await broker.call({ path: '/tokens/faulty/88' })).json).toMatchObject({ source: 'login' });
  });

  it.each([
    ['helpdesk/root', 400, 'invalid_subject'],
    ['wfm/88', 400, 'subject_not_supported'],
    ['nowhere/system', 404, 'unknown_connection'],
  ])('%s: %i %s, and nothing runs', async (path, code, name) => {
    expect(await purge(path)).toMatchObject(problemWith(code, name));
    expect(broker.downstream()).toEqual({});
  });

  it('is 503 store_unavailable while the store is down', async () => {
    broker.dynamodb.set('dynamodb', { mode: 'down' });
    const answer = await purge('helpdesk/88').finally(() => broker.dynamodb.clear());
    expect(answer).toMatchObject(problemWith(503, 'store_unavailable'));
  });
});

describe('unknown routes', () => {
  it.each([
    ['PUT', '/tokens/helpdesk/88', 'GET, POST, DELETE'],
    ['HEAD', '/tokens/helpdesk/88', 'GET, POST, DELETE'],
    ['OPTIONS', '/tokens/helpdesk/88', 'GET, POST, DELETE'],
    ['POST', '/connections', 'GET'],
    ['DELETE', '/connections/helpdesk', 'GET'],
  ])('%s %s: 405 with Allow: %s', async (method, path, allow) => {
    expect(await broker.call({ method, path })).toMatchObject(problemWith(405, 'method_not_allowed', { allow }));
    expect(broker.downstream()).toEqual({});
  });

  it.each(['/', '/tokens', '/tokens/helpdesk/88/', '/tokens/helpdesk/88/more', '/connections/helpdesk/more', '/admin'])(
    'GET %s: 404 not_found',
    async (path) => {
      expect(await broker.call({ path })).toMatchObject(problemWith(404, 'not_found'));
      expect(broker.downstream()).toEqual({});
    },
  );
});

describe('invariant 13: without a caller identity', () => {
  it.each([
    ['GET', '/connections'],
    ['GET', '/connections/helpdesk'],
    ['DELETE', '/tokens/helpdesk/88'],
    ['PUT', '/tokens/helpdesk/88'],
    ['GET', '/nowhere'],
  ])('%s %s is denied before anything else', async (method, path) => {
    const answer = await broker.call({
      method,
      path,
      alter: (event) => {
        const identity = { ...event.requestContext.identity, userArn: null };
        return { ...event, requestContext: { ...event.requestContext, identity } };
      },
    });
    expect(answer).toMatchObject(problemWith(403, 'forbidden'));
    expect(broker.downstream()).toEqual({});
  });
});

it.each([
  ['GET', '/connections', 'has no parameter'],
  ['GET', '/connections/wfm', 'has the parameter next'],
  ['POST', '/connections/wfm/try', 'has no parameter'],
  ['DELETE', '/tokens/wfm/system', 'has no parameter'],
])('%s %s refuses a parameter that it does not know, and does nothing', async (method, path, words) => {
  const answer = await broker.call({ method, path, query: 'nextt=abc' });
  expect(answer).toMatchObject(problemWith(400, 'invalid_request'));
  expect(answer.json['detail']).toContain(words);
  expect(broker.downstream()).toEqual({});
});
