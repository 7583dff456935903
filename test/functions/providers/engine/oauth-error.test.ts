import { describe, expect, it } from 'vitest';
import { readOAuthError } from '../../../../functions/providers/engine/oauth-error.ts';
import { answeredBy, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';

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

  it.each(['invalid_client', 'invalid_request', 'access_denied'])(
    '%s under the status 429 is about the number of requests alone (RFC 6585 §4)',
    async (error) => {
      const failed = await refusedBy(error, 429, { 'retry-after': ['7'] });
      expect(failed).toMatchObject({ code: 'upstream_throttled', backOff: 'not_judged', retryAfterMs: 7_000 });
    },
  );

  it('waits as long as it asks, and refuses no credential for good then', async () => {
    const headers = { 'retry-after': ['7'] };
    expect((await refusedBy('temporarily_unavailable', 400, headers)).retryAfterMs).toBe(7_000);
    const failed = await refusedBy('invalid_client', 401, headers);
    expect(failed).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown', retryAfterMs: 7_000 });
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

describe('a token answer of RFC 6749 §5.1', () => {
  const claims = Buffer.from(JSON.stringify({ exp: 1_800_000_900 })).toString('base64url');
  const jwt = `eyJhbGciOiJub25lIn0.${claims}.c2ln`;

  it.each([
    ['expires_in', { access_token: jwt, expires_in: 600 }, { seconds: 600 }],
    ['expires_in as text', { access_token: 'abc', expires_in: '600' }, { seconds: 600 }],
    ['the `exp` of a token that is a JWT (RFC 9068 §2.2)', { access_token: jwt }, { exp: 1_800_000_900_000 }],
    ['nothing, which is an hour', { access_token: 'abc', token_type: 'Bearer' }, { seconds: 3600 }],
    ['what cannot be read, which is an hour', { access_token: 'abc', expires_in: 'soon' }, { seconds: 3600 }],
    ['a 0 of a token that may never end, which is an hour', { access_token: 'abc', expires_in: 0 }, { seconds: 3600 }],
  ])('says its end by %s', async (_, content, life) => {
    const { upstream } = answeredBy({ body: JSON.stringify(content) });
    const connection = connectionOf('oauth-client-credentials', 'https://login.example');
    const issued = tokenIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
    expect(issued.life).toEqual(life);
    expect(issued).not.toHaveProperty('warning');
  });

  it('of a type that no bearer token has is not taken, and says what to do', async () => {
    const { upstream } = answeredBy({ body: '{"access_token":"abc","token_type":"DPoP","expires_in":600}' });
    const connection = connectionOf('oauth-client-credentials', 'https://login.example');
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    expect(failed.detail).toContain('is of the type DPoP, which works with a proof of a key alone: have this client');
  });
});
