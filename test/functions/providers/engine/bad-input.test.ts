import { expect, it } from 'vitest';
import type { Trial } from '../../../../functions/core/slot/trial.ts';
import type { BrokerErrorCode } from '../../../../functions/core/words/errors.ts';
import { body, type Provider } from '../../../../functions/providers/provider.ts';
import { createCanarySearch } from '../../../system/canary-forms.ts';
import { type Answer, answeredInTurn, connectionOf, failureIn, providerWith, secretOf } from '../provider-harness.ts';

const KEY = 'key-canary-71Kd02mQz';
const TOKEN = 'token-canary-5Zz81kQw0p';
const NOT_A_PEM = '-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5LCBhIGNhbmFyeSA5MzcxOTIyNDUx\n-----END PRIVATE KEY-----\n';
const BOMB = `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "${TOKEN}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r><t>&b;</t></r>`;

const signing: Partial<Provider> = {
  secretFields: { key: { kind: 'pem' } },
  derived: { proof: { jwt: { alg: 'RS256', key: '{key}', claims: { iss: 'x' }, lifeSeconds: 60 } } },
  logins: { system: [{ url: '/login', form: { proof: '{proof}' }, reads: { token: body('token') } }] },
};
const xml: Partial<Provider> = {
  secretFields: { key: {} },
  logins: {
    system: [{ url: '/login', xml: '<k>{key}</k>', answer: 'xml', reads: { token: body('r', 't') } }],
  },
};
const chained = (second: object): Partial<Provider> => ({
  secretFields: { key: {} },
  logins: {
    system: [
      { url: '/begin', json: { key: '{key}' }, reads: { next: body('next') } },
      { url: '/end', ...second, reads: { token: body('token') } },
    ],
  },
});
const placed: Partial<Provider> = {
  secretFields: { key: {} },
  logins: { system: [{ url: '/login', json: { key: '{key}' }, reads: { token: body('token'), base: body('base') } }] },
  placement: { headers: { authorization: 'Bearer {token}' }, baseUrl: '{base}', hosts: ['*.good.example.com'] },
};
const next = (value: string): Answer => ({ body: JSON.stringify({ next: value }) });

it.each<[string, Partial<Provider>, string, readonly Answer[], BrokerErrorCode]>([
  ['a PEM that is none', signing, NOT_A_PEM, [], 'secret_invalid'],
  ['a key without its frame', signing, KEY, [], 'secret_invalid'],
  ['an XML bomb', xml, KEY, [{ body: BOMB }], 'upstream_invalid_response'],
  ['XML 9,000 elements deep', xml, KEY, [{ body: '<a>'.repeat(9000) }], 'upstream_invalid_response'],
  [
    'a cookie with line breaks',
    chained({ headers: { cookie: 'sid={next}' } }),
    KEY,
    [next(`${TOKEN}\r\nX-Evil: 1`)],
    'upstream_invalid_response',
  ],
  ...['x1', '', '1e3', '007', '9007199254740993'].map(
    (text): [string, Partial<Provider>, string, readonly Answer[], BrokerErrorCode] => [
      `a number that is ${JSON.stringify(text)} in an answer`,
      chained({ json: { deep: [{ number: '{next}' }] } }),
      KEY,
      [next(text)],
      'upstream_invalid_response',
    ],
  ),
  [
    'a colon in the user name of Basic',
    {
      secretFields: { key: {} },
      logins: { system: [{ url: '/login', basic: { user: '{key}', password: 'x' }, reads: { token: body('token') } }] },
    },
    `${KEY}:${KEY}`,
    [],
    'secret_invalid',
  ],
  [
    'a step that an answer sends elsewhere',
    chained({ url: '{next}/token', hosts: ['*.good.example.com'] }),
    KEY,
    [next('https://evil.example.net')],
    'upstream_invalid_response',
  ],
  [
    'a step that an answer sends to a host of a like name',
    chained({ url: '{next}/token', hosts: ['*.good.example.com'] }),
    KEY,
    [next('https://evilgood.example.com')],
    'upstream_invalid_response',
  ],
  [
    'an API at a host that is not named',
    placed,
    KEY,
    [{ body: JSON.stringify({ token: TOKEN, base: 'https://evil.example.net' }) }],
    'upstream_invalid_response',
  ],
])(
  '%s ends the login with a code, sends nothing more, and gives nothing away',
  async (_, change, key, answers, code) => {
    const { upstream, sent } = answeredInTurn(answers);
    const connection = connectionOf('tried', 'https://api.example', { provider: providerWith(change) });
    const trials: Trial[] = [];
    const outcome = await upstream.login({
      connection,
      subject: 'system',
      secret: secretOf({ key }),
      timeoutMs: 1_000,
      onTrial: (trial) => trials.push(trial),
    });

    const failed = failureIn(outcome);
    expect(failed.code).toBe(code);
    expect(failed.backOff).not.toBe('refused');
    expect(sent).toHaveLength(answers.length);
    const search = createCanarySearch([
      { name: 'key', value: key },
      { name: 'token', value: TOKEN },
    ]);
    expect(search(JSON.stringify([failed, trials]))).toEqual([]);
  },
);

it('a claim that names a setting left out is left out itself', async () => {
  const provider = providerWith({
    ...signing,
    secretFields: { key: {} },
    settings: { tenant: { kind: 'text', optional: true } },
    derived: {
      proof: { jwt: { alg: 'HS256', key: '{key}', claims: { sub: 's', iss: '{tenant}' }, lifeSeconds: 60 } },
    },
  });
  const { upstream, sent } = answeredInTurn([{ body: JSON.stringify({ token: TOKEN }) }]);
  const connection = connectionOf('tried', 'https://api.example', { provider });
  await upstream.login({ connection, subject: 'system', secret: secretOf({ key: KEY }), timeoutMs: 1_000 });

  const proof = new URLSearchParams(String(sent[0]?.body)).get('proof') ?? '';
  const claims = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toEqual({ sub: 's', iat: expect.any(Number), exp: expect.any(Number) });
});
