import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UpstreamOutcome } from '../../../../functions/core/mint/upstream.ts';
import { isBrokerErrorCode } from '../../../../functions/core/words/errors.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { body } from '../../../../functions/providers/provider.ts';
import { settingsOf } from '../../../fuzz/runs.ts';
import { answeredBy, connectionOf, providerWith, secretOf } from '../provider-harness.ts';

const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const texts = { apiKey: 'Xq7-credential', username: 'Xq7-credential-name', password: 'Xq7-credential/p|w' };
const credential = {
  ...texts,
  ...{ clientId: texts.username, clientSecret: texts.password, userName: texts.username, name: texts.username },
  ...{ senderId: texts.apiKey, senderPassword: texts.password, userId: texts.username, userPassword: texts.password },
  value: texts.password,
};
const marks = [
  'Xq7-credential',
  encodeURIComponent('Xq7-credential/p|w'),
  Buffer.from('Xq7-credential').toString('base64').slice(0, 16),
];

const scalar = fc.oneof(
  fc.string(),
  fc.constantFrom(...Object.values(texts), ...marks, '', 'locked', 'a\r\nb', ' a', 'é', 'eyJh.eyJh.x'),
  fc.jsonValue(),
  fc.constantFrom(null, true, false, 1e308, -1),
);
const memberNames = [
  'token',
  'authToken',
  'success',
  'Success',
  'Message',
  'failMessage',
  'ExceptionResult',
  'userRole',
  'access_token',
  'expires_in',
  'error',
  'error_description',
  'SessionTimeout',
  'responseStatus',
  'responseMessage',
  'sessionId',
];
const xml = fc
  .tuple(fc.constantFrom('response', 'status', 'sessionid', 'a b', '__proto__', '!DOCTYPE x'), fc.string())
  .map(([name, inside]) => `<${name}>${inside}</${name}>`);
const flat = fc.dictionary(fc.constantFrom(...memberNames, '__proto__', 'Data'), scalar, { noNullPrototype: true });
const answerBody = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.array(xml, { maxLength: 4 }).map((parts) => Buffer.from(`<response>${parts.join('')}</response>`)),
  flat.map((value) => Buffer.from(JSON.stringify(value))),
  fc.tuple(flat, flat).map(([outer, Data]) => Buffer.from(`\uFEFF${JSON.stringify({ ...outer, Data })}`)),
);
const plain = { values: {}, closed: undefined, secret: undefined };
const headerValues = fc.array(
  fc.oneof(
    fc.string(),
    fc.constantFrom('', 'a', 'a b', '5', 'S=1; Path=/', 'S=; Max-Age=0', 'Sun, 06 Nov 1994 08:49:37 GMT'),
  ),
  { maxLength: 3 },
);
const answerHeaders = fc.dictionary(
  fc.constantFrom('date', 'retry-after', 'wfmsgapikey', 'set-cookie', 'location', 'content-type'),
  headerValues,
  {
    noNullPrototype: true,
  },
);
const status = fc.oneof(
  fc.constantFrom(200, 200, 400, 401, 403, 404, 423, 429, 500, 503),
  fc.integer({ min: 100, max: 999 }),
);
const answers = fc.record({ status, headers: answerHeaders, body: answerBody });

/** Checks the promises of every outcome, whatever the input was. */
function expectSound(outcome: UpstreamOutcome): void {
  if (outcome.kind === 'token') {
    const value = outcome.value.reveal();
    expect(value).toMatch(HEADER_SAFE);
    // A short one may stand in the names of members.
    if (value.length >= 12) expect(JSON.stringify({ ...outcome, attributes: {} })).not.toContain(value);
    for (const time of [outcome.life.exp, outcome.life.seconds, outcome.life.serverDate]) {
      if (time !== undefined) expect(Number.isFinite(time)).toBe(true);
    }
    return;
  }
  expect(isBrokerErrorCode(outcome.code)).toBe(true);
  const shown = JSON.stringify(outcome).toLowerCase();
  for (const mark of marks) expect(shown).not.toContain(mark.toLowerCase());
  expect(outcome.detail).not.toMatch(/\p{Cc}/u);
  expect(outcome.detail.length).toBeLessThan(600);
  if (outcome.retryAfterMs !== undefined) {
    expect(outcome.retryAfterMs).toBeGreaterThanOrEqual(0);
    expect(outcome.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  }
}

describe('any answer of an upstream', () => {
  const attempts = [
    ['helpmaster', 'system'],
    ['helpmaster', '88'],
    ['community-web-api', 'system'],
    ['oauth-client-credentials-basic', 'system'],
    ['looker', '7'],
    ['veeva-vault', 'system'],
    ['tableau', 'system'],
    ['sap-business-one', 'system'],
    ['sage-intacct-xml', 'system'],
  ] as const;
  const settings = { company: 'A Company', site: 'a-site' };

  it.each(attempts)('to a login by %s, as %s: a value, and nothing leaks', async (provider, subject) => {
    const connection = connectionOf(provider, 'https://upstream.example', { settings });
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const { upstream, sent } = answeredBy(answer);
        const outcome = await upstream.login({ connection, subject, secret: secretOf(credential), timeoutMs: 1 });
        expectSound(outcome);
        const isChain = provider === 'looker' && outcome.kind === 'token';
        expect(sent.length).toBeGreaterThanOrEqual(1);
        expect(sent.length).toBeLessThanOrEqual(provider === 'looker' ? 2 : 1);
        if (isChain) expect(sent).toHaveLength(2);
        if (outcome.kind === 'token') expect(answer.status >= 200 && answer.status < 300).toBe(true);
      }),
      settingsOf(400),
    );
  });

  it('to a slide: a value, and a token from a 2xx alone', async () => {
    const settings = { keepAlivePath: '/ping' };
    const connection = connectionOf('community-web-api', 'https://upstream.example', { settings });
    const token = new Secret('Xq7-credential');
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const { upstream } = answeredBy(answer);
        const outcome = await upstream.renew({ ...plain, connection, subject: 'system', token, timeoutMs: 1 });
        expectSound(outcome);
        if (outcome.kind !== 'token') return;
        expect(answer.status >= 200 && answer.status < 300).toBe(true);
        expect(new Set(answer.headers['wfmsgapikey'])).toEqual(new Set([outcome.value.reveal()]));
      }),
      settingsOf(400),
    );
  });
});

describe('a login of several requests', () => {
  const provider = providerWith({
    logins: {
      system: [
        { url: '/login', reads: { token: body('token'), life: body('life') } },
        { method: 'GET', url: '/whoami', headers: { authorization: 'Bearer {token}' }, reads: { api: body('api') } },
      ],
    },
    placement: { headers: { authorization: 'Bearer {token}' }, baseUrl: '{api}', hosts: ['*.pods.example'] },
    lifetime: [{ value: 'life', as: 'seconds' }],
  });

  it('takes the token of the answer that has it, though a later one says where the API is', async () => {
    const answer = { token: 'abc', life: 600, api: 'https://a1.pods.example' };
    const { upstream, sent } = answeredBy({ body: JSON.stringify(answer) });
    const connection = connectionOf('any', 'https://login.example', { provider });
    const secret = secretOf({ id: 'i', key: 'k' });
    const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1000 });

    expect(sent.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      ['https://login.example/login', undefined],
      ['https://login.example/whoami', 'Bearer abc'],
    ]);
    expect(outcome).toMatchObject({
      kind: 'token',
      life: { seconds: 600 },
      values: { api: 'https://a1.pods.example' },
    });
    expect(outcome.kind === 'token' && outcome.value.reveal()).toBe('abc');
  });

  it('brings no token if that answer has none, even if a later one has', async () => {
    const { upstream, sent } = answeredBy({ body: JSON.stringify({ api: 'https://a1.pods.example' }) });
    const connection = connectionOf('any', 'https://login.example', { provider });
    const secret = secretOf({ id: 'i', key: 'k' });
    const outcome = await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1000 });

    expect(outcome).toMatchObject({ kind: 'failure', code: 'upstream_invalid_response' });
    expect(sent).toHaveLength(1);
  });
});
