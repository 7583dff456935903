import { describe, expect, it } from 'vitest';
import { readOAuthError } from '../../../../functions/providers/engine/oauth-error.ts';
import { answeredBy, connectionOf, failureIn, secretOf } from '../provider-harness.ts';

const secret = secretOf({ clientId: 'the-client', clientSecret: 'hunter2-and-more' });

async function refusedBy(error: string, status: number, headers = {}) {
  const body = JSON.stringify({ error, error_description: 'Said plainly.' });
  const { upstream } = answeredBy({ status, body, headers });
  const connection = connectionOf('oauth-client-credentials', 'https://login.example');
  return failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
}

describe('an error of RFC 6749 §5.2', () => {
  it.each([
    ['invalid_client', 'upstream_credential_rejected', 'refused'],
    ['unauthorized_client', 'upstream_credential_rejected', 'refused'],
    ['invalid_grant', 'upstream_credential_rejected', 'refused'],
    ['invalid_scope', 'upstream_request_rejected', 'misconfigured'],
    ['invalid_request', 'upstream_request_rejected', 'misconfigured'],
    ['unsupported_grant_type', 'upstream_request_rejected', 'misconfigured'],
    ['invalid_target', 'upstream_request_rejected', 'misconfigured'],
    ['consent_required', 'upstream_request_rejected', 'misconfigured'],
    ['slow_down', 'upstream_throttled', 'not_judged'],
    ['temporarily_unavailable', 'upstream_unavailable', 'not_judged'],
    ['server_error', 'upstream_unavailable', 'not_judged'],
  ])('%s is %s, with the back-off %s, whatever the status', async (error, code, backOff) => {
    for (const status of [400, 401, 403]) {
      const failed = await refusedBy(error, status);
      expect(failed).toMatchObject({ code, backOff, evidence: `the error ${error} in the body` });
      expect(failed.detail).toContain('It said: "Said plainly."');
    }
    expect(await refusedBy(error, 200)).toMatchObject({ code, backOff });
  });

  it('waits as long as it asks, where it does not refuse the credential', async () => {
    const headers = { 'retry-after': ['7'] };
    expect((await refusedBy('temporarily_unavailable', 400, headers)).retryAfterMs).toBe(7_000);
    expect(await refusedBy('invalid_client', 401, headers)).not.toHaveProperty('retryAfterMs');
  });

  it('about a grant is about the user whom the request names', () => {
    const content = { error: 'invalid_grant', error_description: 'no such user' };
    expect(readOAuthError(content, true)).toEqual({
      error: 'invalid_grant',
      means: 'subject',
      description: 'no such user',
    });
    expect(readOAuthError(content, false)?.means).toBe('credential');
    expect(readOAuthError({ error: 'invalid_client' }, true)?.means).toBe('credential');
  });

  it.each([
    {},
    { error: 'rate_limited' },
    { error: 'toString' },
    { error: '__proto__' },
    { error: { code: 'invalid_client' } },
    { error: ['invalid_client'] },
    { Error: 'invalid_client' },
    ['invalid_client'],
    'invalid_client',
    null,
    undefined,
  ])('is not %j', (content) => {
    expect(readOAuthError(content, false)).toBeUndefined();
  });
});
