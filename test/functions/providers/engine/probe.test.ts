import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../../functions/core/slot/provider.ts';
import type { Trial } from '../../../../functions/core/slot/trial.ts';
import { answeredInTurn, connectionOf, failureIn, providerWith, secretOf, tokenIn } from '../provider-harness.ts';

const HOST = 'https://upstream.example';
const NOW = 1_800_000_000_000;

/** A token that is signed here, with a call that a good key passes. */
const selfSigned = providerWith({
  userSubject: { pattern: '[0-9]{1,9}' },
  derived: {
    token: {
      jwt: { alg: 'HS256', key: '{key}', claims: { iss: '{id}', sub: '{subject}' }, lifeSeconds: 600 },
    },
  },
  logins: { system: [], user: [] },
  lifetime: [{ jwt: 'token' }],
  probe: { method: 'GET', url: '/me', headers: { authorization: 'Token {token}' } },
});

function loginBy(answers: Parameters<typeof answeredInTurn>[0], provider: Provider = selfSigned, subject = 'system') {
  const { upstream, sent } = answeredInTurn(answers, { now: NOW });
  const connection = connectionOf('any', HOST, { provider });
  const trials: Trial[] = [];
  const secret = secretOf({ id: 'me', key: 'the-one-key-that-is-long-enough-for-HS256' });
  const outcome = upstream.login({
    ...{ connection, subject, secret, timeoutMs: 6_000 },
    onTrial: (trial) => trials.push(trial),
  });
  return { outcome, sent, trials };
}

describe('a token that is signed here', () => {
  it('is sent nowhere without a probe', async () => {
    const { probe: _, ...unproven } = selfSigned;
    const { outcome, sent } = loginBy([], unproven);
    expect(tokenIn(await outcome).life).toEqual({ exp: NOW + 600_000 });
    expect(sent).toEqual([]);
  });

  it('is sent once to the probe, with what that says and no more', async () => {
    const { outcome, sent } = loginBy([{ body: '{"id":1}' }]);
    const token = tokenIn(await outcome).value.reveal();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({
      method: 'GET',
      url: `${HOST}/me`,
      headers: { accept: 'application/json', authorization: `Token ${token}` },
      timeoutMs: 6_000,
    });
    expect(sent[0]).not.toHaveProperty('body');
  });

  it.each([
    [{ status: 401 }, 'upstream_credential_rejected', 'refused'],
    [{ status: 401, body: '{"error":"invalid_client"}' }, 'upstream_credential_rejected', 'refused'],
    [{ status: 401, body: '<html>' }, 'upstream_login_ambiguous', 'unknown'],
    [{ status: 403, body: '{"message":"Forbidden"}' }, 'upstream_login_ambiguous', 'unknown'],
    [{ status: 423 }, 'upstream_account_locked', 'locked'],
    [{ status: 404 }, 'upstream_invalid_response', 'unknown'],
    [{ status: 302, headers: { location: ['/login'] } }, 'upstream_redirect', 'unknown'],
    [{ status: 500 }, 'upstream_login_ambiguous', 'ambiguous_login'],
    [{ body: '<html>Sign in</html>' }, 'upstream_invalid_response', 'unknown'],
    [{ kind: 'failure', reason: 'timeout', sent: true }, 'upstream_timeout', 'unknown'],
    [{ kind: 'failure', reason: 'connect', sent: false }, 'upstream_unreachable', 'not_judged'],
  ] as const)('is no token where the probe is answered %j', async (answer, code, backOff) => {
    expect(failureIn(await loginBy([answer]).outcome)).toMatchObject({ code, backOff });
  });

  it('waits as long as the answer to the probe asks', async () => {
    const { outcome } = loginBy([{ status: 429, headers: { 'retry-after': ['7'] } }]);
    expect(failureIn(await outcome)).toMatchObject({ code: 'upstream_throttled', retryAfterMs: 7_000 });
  });

  it('is judged by the rules of its provider', async () => {
    const ruled: Provider = {
      ...selfSigned,
      answers: [{ at: { in: 'body', path: ['ok'] }, is: [false], means: 'credential' }],
    };
    expect(failureIn(await loginBy([{ body: '{"ok":false}' }], ruled).outcome).backOff).toBe('refused');
  });

  it("is the subject's where it names one", async () => {
    const { outcome } = loginBy([{ status: 401, body: '{"error":"invalid_grant"}' }], selfSigned, '88');
    expect(failureIn(await outcome).code).toBe('upstream_subject_rejected');
  });

  it.each([
    [{ status: 204 }, selfSigned],
    [{ body: 'pong' }, { ...selfSigned, probe: { url: '/ping', answer: 'text' } }],
  ] as const)('is taken where the answer %j is a success', async (answer, provider) => {
    tokenIn(await loginBy([answer], provider).outcome);
  });

  it('has its probe as a step of a login that is tried', async () => {
    const { outcome, trials } = loginBy([{ status: 401 }]);
    await outcome;
    expect(trials[0]?.steps).toMatchObject([
      {
        request: { method: 'GET', url: `${HOST}/me`, headers: { authorization: 'Token {token}' } },
        answer: { status: 401 },
        judged: { by: 'status', means: 'credential' },
      },
    ]);
    expect(trials[0]).not.toHaveProperty('token');
  });
});
