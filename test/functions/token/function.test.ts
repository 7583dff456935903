import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { useStillTime } from '../../system/still-time.ts';
import { retryAtOnce } from '../adapters/aws/retry-at-once.ts';
import {
  type ApiRequest,
  CALLER,
  JSON_TYPE,
  problemWith,
  REQUEST_ID,
  startFunctionsUnderTest,
} from '../api/functions-under-test.ts';

const HASH = createHash('sha256').update('never issued').digest('hex');
const ISO_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

retryAtOnce();
const time = useStillTime();

const broker = await startFunctionsUnderTest(({ helpmaster, community }) => {
  const proxy = { methods: ['GET'], paths: ['/'] };
  return {
    connections: {
      helpdesk: { provider: 'helpmaster', baseUrl: helpmaster, renewalCooldownSeconds: 0, memorySeconds: 0 },
      wfm: { provider: 'community-web-api', baseUrl: community },
      listed: { provider: 'helpmaster', baseUrl: helpmaster, subjects: { system: false, staff: ['88'] } },
      single: { provider: 'community-web-api', baseUrl: community, tokensOverlap: false, proxy },
      young: { provider: 'helpmaster', baseUrl: helpmaster },
    },
  };
});
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

const get = (path: string, query = '') => broker.call({ path: `/tokens/${path}`, query });
const post = (path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = JSON_TYPE) =>
  broker.call({ method: 'POST', path: `/tokens/${path}`, headers, body });
const reportOf = (token: unknown) =>
  JSON.stringify({ rejected: createHash('sha256').update(String(token)).digest('hex') });

describe('a hand-out', () => {
  it('H6, H11: has exactly these members in this order, and headers to spread into a request', async () => {
    const { status, headers, json } = await get('helpdesk/88');
    expect(status).toBe(200);
    expect(headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(Object.keys(json)).toEqual([
      'access_token',
      'token_type',
      'expires_in',
      'expires_at',
      'issued_at',
      'refresh_at',
      'connection',
      'subject',
      'generation',
      'source',
      'headers',
      'attributes',
    ]);
    expect(json).toMatchObject({
      token_type: 'Bearer',
      connection: 'helpdesk',
      subject: '88',
      generation: 1,
      source: 'login',
      headers: { Authorization: `Bearer ${String(json['access_token'])}` },
      attributes: {},
    });
    for (const time of ['expires_at', 'issued_at', 'refresh_at']) expect(json[time]).toMatch(ISO_SECONDS);
    const [issuedAt = 0, refreshAt = 0, expiresAt = 0] = ['issued_at', 'refresh_at', 'expires_at'].map((time) =>
      Date.parse(String(json[time])),
    );
    expect(issuedAt).toBeLessThan(refreshAt);
    expect(refreshAt).toBeLessThan(expiresAt);
    // The remaining life, less the 5 s that clocks may differ.
    const remaining = (expiresAt - 5_000 - Date.now()) / 1000;
    expect(json['expires_in']).toBeTypeOf('number');
    expect(Math.abs(Number(json['expires_in']) - remaining)).toBeLessThan(2);
  });

  it('C5 to C11, C14: has N_A as its type where the token travels in a header of its own, and the attributes', async () => {
    const { json } = await get('wfm/system');
    expect(json).toMatchObject({
      token_type: 'N_A',
      headers: { WFMSGAPIKEY: json['access_token'] },
      attributes: { agentId: 4711, userRole: 200, userRoleName: 'supervisor', timeZone: 12, language: null },
    });
    expect(Object.keys(json['attributes'] ?? {})).toEqual([
      'agentId',
      'userRole',
      'userRoleName',
      'userName',
      'timeZone',
      'language',
      'asOf',
    ]);
  });

  it('comes from the store by one read, and from memory by nothing', async () => {
    await get('helpdesk/42');
    await get('young/42');
    broker.downstream();
    expect((await get('helpdesk/42')).json).toMatchObject({ source: 'cache', generation: 1 });
    expect(broker.downstream()).toEqual({ 'dynamodb.GetItem': 1 });
    expect((await get('young/42')).json).toMatchObject({ source: 'cache', generation: 1 });
    expect(broker.downstream()).toEqual({});
  });

  it('invariant 10: is recorded before the answer, with all that an auditor asks for and no token', async () => {
    const { json } = await get('helpdesk/1');
    const record = broker.log().findLast((line) => line['message'] === 'A token was handed out.');
    expect(record?.['audit']).toEqual({
      caller: CALLER,
      connection: 'helpdesk',
      subject: '1',
      token: createHash('sha256').update(String(json['access_token'])).digest('hex').slice(0, 12),
      generation: 1,
      secretVersion: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: 'login',
      requestId: REQUEST_ID,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(JSON.stringify(broker.log())).not.toContain(String(json['access_token']));
  });

  it('emits metrics: hand-outs by source, and seconds to expiry', async () => {
    await get('helpdesk/88');
    const metric = broker.log().findLast((line) => 'HandOuts' in line && line['connection'] === 'helpdesk');
    expect(metric).toMatchObject({
      service: 'token',
      source: 'cache',
      HandOuts: 1,
      SecondsToExpiry: expect.any(Number),
    });
  });
});

describe('a report of a rejected token', () => {
  it('H17: gets a new token where it is the current one, and counts once', async () => {
    const first = await get('helpdesk/88');
    broker.downstream();
    const renewed = await post('helpdesk/88', reportOf(first.json['access_token']));
    expect(renewed.json).toMatchObject({ source: 'login', generation: 2 });
    expect(broker.downstream()).toMatchObject({ logins: 1 });

    const late = await post('helpdesk/88', reportOf(first.json['access_token']));
    expect(late.json).toMatchObject({ source: 'cache', generation: 2, access_token: renewed.json['access_token'] });
    expect(broker.downstream()['logins']).toBeUndefined();
  });

  it('is answered as a GET where the token is unknown', async () => {
    expect((await post('helpdesk/88', JSON.stringify({ rejected: HASH }))).json).toMatchObject({ source: 'cache' });
    expect(broker.downstream()['logins']).toBeUndefined();
  });

  it('is taken with a media type of the JSON family, and in base64', async () => {
    const body = JSON.stringify({ rejected: HASH });
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.example+json']) {
      expect((await post('helpdesk/88', body, { 'content-type': type })).status).toBe(200);
    }
  });

  it('invariant 16: is throttled while the token is young, with the time to wait', async () => {
    const { json } = await get('young/88');
    broker.downstream();
    const answer = await post('young/88', reportOf(json['access_token']));
    expect(answer).toMatchObject(problemWith(429, 'renewal_throttled', { 'retry-after': '60' }));
    expect(broker.downstream()).toEqual({ 'dynamodb.GetItem': 1 });
  });
});

describe('a request that is refused runs nothing downstream', () => {
  const of = (path: string, more: Omit<ApiRequest, 'path'> = {}): ApiRequest => ({ path: `/tokens/${path}`, ...more });
  const report = (body: string | Buffer, headers: Readonly<Record<string, string>> = JSON_TYPE): ApiRequest =>
    of('helpdesk/88', { method: 'POST', body, headers });
  const anonymous = of('helpdesk/88', {
    alter: (event) => {
      const identity = { ...event.requestContext.identity, userArn: null };
      return { ...event, requestContext: { ...event.requestContext, identity } };
    },
  });

  it.each<readonly [string, ApiRequest, number, string]>([
    ['min_ttl is no number', of('helpdesk/88', { query: 'min_ttl=soon' }), 400, 'invalid_request'],
    ['min_ttl is negative', of('helpdesk/88', { query: 'min_ttl=-1' }), 400, 'invalid_request'],
    ['min_ttl is a fraction', of('helpdesk/88', { query: 'min_ttl=1.5' }), 400, 'invalid_request'],
    ['min_ttl is empty', of('helpdesk/88', { query: 'min_ttl=' }), 400, 'invalid_request'],
    ['min_ttl has an exponent', of('helpdesk/88', { query: 'min_ttl=1e3' }), 400, 'invalid_request'],
    ['min_ttl has white space', of('helpdesk/88', { query: 'min_ttl=%2060' }), 400, 'invalid_request'],
    ['min_ttl ends in CR LF', of('helpdesk/88', { query: 'min_ttl=60%0d%0a' }), 400, 'invalid_request'],
    ['min_ttl comes twice', of('helpdesk/88', { query: 'min_ttl=60&min_ttl=60' }), 400, 'invalid_request'],
    ['min_ttl has ten digits', of('helpdesk/88', { query: 'min_ttl=1000000000' }), 400, 'invalid_request'],
    ['min_ttl is misspelt', of('helpdesk/88', { query: 'minttl=60' }), 400, 'invalid_request'],
    [
      'a parameter is unknown, beside a good one',
      of('helpdesk/88', { query: 'min_ttl=60&a=1' }),
      400,
      'invalid_request',
    ],
    [
      'a parameter only ends like one of a signature',
      of('helpdesk/88', { query: 'my-x-amz-date=1' }),
      400,
      'invalid_request',
    ],
    ['no fresh token could satisfy min_ttl', of('wfm/system', { query: 'min_ttl=1196' }), 400, 'min_ttl_unsatisfiable'],
    ['the subject has a leading zero', of('helpdesk/088'), 400, 'invalid_subject'],
    ['the subject is zero', of('helpdesk/0'), 400, 'invalid_subject'],
    ['the subject is over 32 bits', of('helpdesk/2147483648'), 400, 'invalid_subject'],
    ['the subject is System', of('helpdesk/System'), 400, 'invalid_subject'],
    ['the subject has a slash in it', of('helpdesk/8%2f8'), 400, 'invalid_subject'],
    ['the subject ends in a line', of('helpdesk/88%0a'), 400, 'invalid_subject'],
    ['the subject is __proto__', of('helpdesk/__proto__'), 400, 'invalid_subject'],
    ['the connection has no staff', of('wfm/88'), 400, 'subject_not_supported'],
    ['the connection has no system', of('listed/system'), 400, 'subject_not_supported'],
    ['the staff member is not listed', of('listed/89'), 403, 'forbidden'],
    ['nobody signed it', anonymous, 403, 'forbidden'],
    ['tokens must not be handed out', of('single/system'), 403, 'handout_disabled'],
    ['the connection is unknown', of('nowhere/system'), 404, 'unknown_connection'],
    ['the connection is __proto__', of('__proto__/system'), 404, 'unknown_connection'],
    ['the connection is constructor', of('constructor/system'), 404, 'unknown_connection'],
    ['the body is not JSON', report('{"rejected":'), 400, 'invalid_request'],
    ['the body is not UTF-8', report(Buffer.from([0x22, 0xff, 0x22])), 400, 'invalid_request'],
    ['the body is empty', report(''), 400, 'invalid_request'],
    ['the body is null', report('null'), 400, 'invalid_request'],
    ['the body is a list', report(`["${HASH}"]`), 400, 'invalid_request'],
    ['the body is a text', report(`"${HASH}"`), 400, 'invalid_request'],
    ['the body has no hash', report('{}'), 400, 'invalid_request'],
    ['the hash is a number', report('{"rejected":1}'), 400, 'invalid_request'],
    ['the hash is in capitals', report(JSON.stringify({ rejected: HASH.toUpperCase() })), 400, 'invalid_request'],
    ['the hash is short', report(JSON.stringify({ rejected: HASH.slice(1) })), 400, 'invalid_request'],
    ['the hash ends in a line', report(JSON.stringify({ rejected: `${HASH}\n` })), 400, 'invalid_request'],
    ['the body says more', report(JSON.stringify({ rejected: HASH, force: true })), 400, 'invalid_request'],
    ['the body has __proto__', report(`{"rejected":"${HASH}","__proto__":{}}`), 400, 'invalid_request'],
    ['the hash is in __proto__', report(`{"__proto__":{"rejected":"${HASH}"}}`), 400, 'invalid_request'],
    ['the body is over 8 KB', report(`"${'x'.repeat(8_191)}"`), 413, 'payload_too_large'],
    ['the body is a form', report(`rejected=${HASH}`, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    ['the body has no type', report(JSON.stringify({ rejected: HASH }), {}), 415, 'unsupported_media_type'],
    ['the type is JSONP', report('{}', { 'content-type': 'application/jsonp' }), 415, 'unsupported_media_type'],
  ])('%s: %i %s', async (_what, request, status, code) => {
    const answer = await broker.call(request);
    expect(answer).toMatchObject(problemWith(status, code));
    expect(Object.keys(answer.json)).toEqual(['type', 'title', 'status', 'detail', 'code', 'request_id']);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(broker.downstream()).toEqual({});
  });

  it('says nothing of what was sent', async () => {
    const answers = [
      await broker.call(report('{"rejected":"secret-looking-text"}')),
      await get('secret-looking-text/1'),
    ];
    for (const { body } of answers) expect(body).not.toContain('secret-looking-text');
  });
});

describe('min_ttl', () => {
  it('is served by a token that is good for so long', async () => {
    expect((await get('helpdesk/88', 'min_ttl=3600')).status).toBe(200);
    expect((await get('helpdesk/88', 'min_ttl=0')).status).toBe(200);
  });

  it('is named where the query has another parameter, whose name is not repeated', async () => {
    const { json } = await get('helpdesk/88', 'access_token=abc');
    expect(json).toMatchObject({ detail: 'The query of this route has the parameter min_ttl, and no other.' });
  });

  it('may stand beside what a client adds that signs by the query', async () => {
    const signed = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&x-amz-signature=00&min_ttl=60';
    expect((await get('helpdesk/88', signed)).status).toBe(200);
  });

  it('renews nothing before refresh_at: 400, and no login', async () => {
    await get('wfm/system');
    broker.downstream();
    // The most that a fresh token has; this one is older.
    time.advance({ seconds: 1 });
    expect(await get('wfm/system', 'min_ttl=1195')).toMatchObject(problemWith(400, 'min_ttl_unsatisfiable'));
    expect(broker.downstream()['logins']).toBeUndefined();
  });
});

describe('the deadline of a hand-out', () => {
  it('is 504 deadline_exceeded while the store hangs, and not an empty 500', async () => {
    broker.dynamodb.set('dynamodb', { mode: 'hang' });
    try {
      const answer = await broker.call({ path: '/tokens/helpdesk/88', remainingMs: 4_150 });
      expect(answer).toMatchObject(problemWith(504, 'deadline_exceeded'));
    } finally {
      broker.dynamodb.clear();
    }
  });

  it('leaves no time to mint: 503 refresh_in_progress, and neither lease nor login', async () => {
    const answer = await broker.call({ path: '/tokens/helpdesk/2147483647', remainingMs: 12_000 });
    expect(answer).toMatchObject(problemWith(503, 'refresh_in_progress'));
    expect(Object.keys(broker.downstream())).toEqual(['dynamodb.GetItem']);
  });
});
