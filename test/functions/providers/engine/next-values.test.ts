import { describe, expect, it } from 'vitest';
import { BEARER, body } from '../../../../functions/providers/provider.ts';
import { answeredInTurn, connectionOf, failureIn, providerWith, secretOf, tokenIn } from '../provider-harness.ts';

const HOST = 'https://upstream.example';
const secret = secretOf({ client: 'me', refreshToken: 'r-1' });

/** A login that reads the next refresh token with its first request, and the token with its second. */
const provider = providerWith({
  secretFields: { client: {}, refreshToken: { rotates: { graceSeconds: 0 } } },
  logins: {
    system: [
      {
        url: '/grant',
        form: { refresh_token: '{refreshToken}', client: '{client}' },
        reads: { session: body('session'), refreshToken: body('refresh_token') },
      },
      { url: '/token', form: { session: '{session}' }, reads: { token: body('token') } },
    ],
  },
  placement: { headers: BEARER },
  lifetime: [{ seconds: 3600 }],
});

async function logIn(answers: Parameters<typeof answeredInTurn>[0]) {
  const { upstream, sent } = answeredInTurn(answers);
  const connection = { ...connectionOf('any', HOST, { provider }), keptSecret: 'token-broker/any/kept' };
  const kept: { readonly next: object; readonly sent: number }[] = [];
  const outcome = await upstream.login({
    connection,
    subject: 'system',
    secret,
    timeoutMs: 6_000,
    keep: async (next) => void kept.push({ next: next.reveal(), sent: sent.length }),
  });
  return { outcome, kept };
}

const granted = { body: '{"session":"s","refresh_token":"r-2"}' };

describe('the next value of a field that rotates', () => {
  it('is kept before anything else is sent', async () => {
    const { outcome, kept } = await logIn([granted, { body: '{"token":"abc"}' }]);

    expect(tokenIn(outcome).value.reveal()).toBe('abc');
    expect(kept).toEqual([{ next: { refreshToken: 'r-2' }, sent: 1 }]);
  });

  it('is kept although the login fails after it, and is in no message', async () => {
    const { outcome, kept } = await logIn([granted, { status: 403, body: '{"error":"access_denied r-2"}' }]);

    expect(failureIn(outcome).detail).not.toContain('r-2');
    expect(kept).toHaveLength(1);
  });

  it.each(['{"session":"s"}', '{"session":"s","refresh_token":""}', '{"session":"s","refresh_token":"r-1"}'])(
    'is none in %s: the value stays as it is',
    async (text) => {
      const { outcome, kept } = await logIn([{ body: text }, { body: '{"token":"abc"}' }]);

      expect(tokenIn(outcome).value.reveal()).toBe('abc');
      expect(kept).toEqual([]);
    },
  );

  it.each([
    [{ status: 400, body: '{"error":"invalid_grant"}' }, 'reauthorization_required'],
    [{ status: 400, body: '{"error":"invalid_client"}' }, 'upstream_credential_rejected'],
    [{ status: 401 }, 'upstream_credential_rejected'],
  ])('is told apart from the client in a refusal: %j is %s', async (answer, code) => {
    const { outcome, kept } = await logIn([answer]);

    expect(failureIn(outcome)).toMatchObject({ code, backOff: 'refused' });
    expect(kept).toEqual([]);
  });
});
