import type { Trial } from '../../../../functions/core/slot/trial.ts';
import { body, type Provider } from '../../../../functions/providers/provider.ts';
import { type Answer, answeredInTurn, connectionOf, secretOf } from '../provider-harness.ts';

export const NOW = Date.UTC(2026, 10, 21, 10, 0, 0);
export const SECRET = {
  user: 'svc-canary-8Kd02mQz',
  password: 'pä&ss w+rd "quoted" 77Xq!',
  shared: 'hmac-key-canary-51bTzUvw',
};

/** A provider with every place that a value can stand in. */
export const everything: Provider = {
  secretFields: { user: {}, password: {}, shared: {} },
  settings: { tenant: { kind: 'text' }, scope: { kind: 'list', optional: true } },
  derived: {
    pair: { base64: '{user}:{password}' },
    mac: { digest: 'sha256', of: '{user}', key: '{shared}', as: 'hex' },
    assertion: {
      jwt: {
        alg: 'HS256',
        key: '{shared}',
        claims: { iss: '{user}', aud: 'https://idp.example/{tenant}' },
        lifeSeconds: 60,
      },
    },
    nonce: { random: 'uuid' },
    call: { digest: 'sha256', of: '{token}', as: 'hex' },
  },
  logins: {
    system: [
      {
        url: '/{tenant}/begin/{user}',
        query: { p: '{password}', scope: '{scope}' },
        basic: { user: '{user}', password: '{password}' },
        headers: { 'X-Mac': 'v1 {mac}', 'X-Pair': '{pair}', 'X-Nonce': '{nonce}' },
        form: { assertion: '{assertion}', grant: 'custom' },
        reads: { ticket: { in: 'cookie', name: 'TICKET' }, count: body('count') },
      },
      {
        url: '/finish',
        headers: { cookie: 'TICKET={ticket}' },
        json: { n: { number: '{count}' }, deep: [{ password: '{password}', fixed: true }] },
        reads: { token: body('data', 'session'), end: body('until') },
      },
    ],
  },
  placement: { headers: { 'X-Session': '{token}', 'X-Call': '{call}' }, query: { tenant: '{tenant}' } },
  lifetime: [{ jwt: 'token' }, { value: 'end', as: 'date' }],
};

export const TICKET = 'ticket-canary-09fJ2LmnB';
export const TOKEN = 'token-canary-Zz81kQw0pR44';
export const begun: Answer = {
  headers: { 'set-cookie': [`TICKET=${TICKET}; Path=/; HttpOnly; Max-Age=60`], 'content-type': ['application/json'] },
  body: '{"count":41,"note":"Welcome back."}',
};
export const finished: Answer = {
  body: JSON.stringify({
    data: { session: TOKEN },
    until: '2026-11-21T10:20:00Z',
    kind: 'full',
    other: 'x'.repeat(812),
  }),
};

/** Tries one login of a provider against these answers. */
export async function tryLogin(
  answers: Parameters<typeof answeredInTurn>[0],
  {
    provider = everything,
    secret = SECRET as Record<string, string>,
    settings = { tenant: 'acme' },
    subject = 'system',
  } = {},
) {
  const { upstream, sent } = answeredInTurn(answers, { now: NOW });
  const connection = connectionOf('tried', 'https://api.example/v1', { provider, settings });
  const trials: Trial[] = [];
  const outcome = await upstream.login({
    connection,
    subject,
    secret: secretOf(secret),
    timeoutMs: 1_000,
    onTrial: (trial) => trials.push(trial),
  });
  return { outcome, trial: trials[0], count: trials.length, sent };
}
