import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../../functions/core/slot/provider.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { waysOf } from '../../../../functions/providers/engine/ways.ts';
import { body } from '../../../../functions/providers/provider.ts';
import { answeredInTurn, connectionOf, providerWith, secretOf } from '../provider-harness.ts';

const HOST = 'https://upstream.example';

/** A logout that names every kind of value. */
const leaving = providerWith({
  settings: { tenant: { kind: 'text' } },
  userSubject: { pattern: '[0-9]{1,9}' },
  derived: { pair: { base64: '{token}:{csrf}' }, nonce: { random: 'uuid' } },
  logins: {
    system: [{ url: '/login', reads: { token: body('token'), csrf: body('csrf') } }],
    user: [{ url: '/login', reads: { token: body('token'), csrf: body('csrf') } }],
  },
  logout: {
    method: 'DELETE',
    url: '/{tenant}/sessions/{csrf}',
    headers: { authorization: 'Session {token}', 'x-pair': '{pair}', 'x-of': '{subject}' },
  },
});

async function logOut(
  answer: Parameters<typeof answeredInTurn>[0][number],
  {
    provider = leaving as Provider,
    subject = 'system',
    secret = undefined as Secret<string> | undefined,
    values = {},
  } = {},
) {
  const { upstream, sent } = answeredInTurn([answer]);
  const connection = connectionOf('any', HOST, { provider, settings: { tenant: 'acme' } });
  const failed = await upstream.logout({
    ...{ connection, subject, timeoutMs: 6_000, secret, values },
    token: new Secret('the-token'),
    closed: new Secret({ csrf: 'c/1' }),
  });
  return { failed, sent };
}

describe('a logout', () => {
  it('is one request with what was kept beside the token', async () => {
    const { failed, sent } = await logOut({ status: 204 }, { subject: '88' });
    expect(failed).toBeUndefined();
    expect(sent).toEqual([
      {
        method: 'DELETE',
        url: `${HOST}/acme/sessions/c%2F1`,
        headers: {
          accept: 'application/json',
          authorization: 'Session the-token',
          'x-pair': Buffer.from('the-token:c/1').toString('base64'),
          'x-of': '88',
        },
        timeoutMs: 6_000,
      },
    ]);
  });

  it('has the fields of the secret that it names', async () => {
    const provider = providerWith({ logout: { url: '/revoke', form: { key: '{key}', token: '{token}' } } });
    const { sent } = await logOut({}, { provider, secret: secretOf({ id: 'me', key: 'the key' }) });
    expect(sent[0]?.body).toBe('key=the+key&token=the-token');
  });

  it('is that of the session, whatever would be computed for the next', async () => {
    const provider: Provider = {
      ...providerWith(),
      derived: { token: { random: 'uuid' }, device: { random: 'uuid' } },
      placement: { headers: { authorization: '{token}', 'x-device': '{device}' } },
      logout: { url: '/leave', headers: { authorization: '{token}', 'x-device': '{device}' } },
    };
    const { sent } = await logOut({}, { provider, values: { device: 'the-device' } });
    expect(sent[0]?.headers).toMatchObject({ authorization: 'the-token', 'x-device': 'the-device' });
  });

  it.each([
    [{ status: 401 }, 'upstream_invalid_response', 'the status 401 without a body'],
    [{ status: 302, headers: { location: ['/bye'] } }, 'upstream_redirect', 'the status 302 without a body'],
    [{ status: 429 }, 'upstream_throttled', 'the status 429 without a body'],
    [{ status: 500 }, 'upstream_unavailable', 'the status 500 without a body'],
    [{ kind: 'failure', reason: 'timeout', sent: true }, 'upstream_timeout', undefined],
  ] as const)('may have failed where it is answered %j', async (answer, code, evidence) => {
    const { failed, sent } = await logOut(answer);
    expect(failed?.code).toBe(code);
    expect(failed?.evidence).toBe(evidence);
    expect(sent).toHaveLength(1);
  });

  it("has failed where the provider's own words say so", async () => {
    const provider: Provider = {
      ...leaving,
      answers: [{ at: { in: 'body', path: ['ok'] }, is: [false], means: 'unusable' }],
    };
    expect((await logOut({ body: '{"ok":false}' }, { provider })).failed).toMatchObject({
      code: 'upstream_invalid_response',
      evidence: expect.stringContaining('rule 1'),
    });
    expect((await logOut({ body: '{"ok":true}' }, { provider })).failed).toBeUndefined();
  });

  it('sends nothing of a secret that is of no use', async () => {
    const { failed, sent } = await logOut({}, { secret: new Secret('no JSON') });
    expect([failed?.code, sent]).toEqual(['secret_invalid', []]);
  });

  it('is the word of a provider that has one', async () => {
    const { upstream } = answeredInTurn([]);
    const connection = connectionOf('any', HOST, { provider: providerWith() });
    const held = { token: new Secret('t'), values: {}, closed: undefined, secret: undefined };
    const attempt = upstream.logout({ connection, subject: 'system', timeoutMs: 1, ...held });
    await expect(attempt).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('the ways of a connection', () => {
  const placed = (headers: Record<string, string>) => ({ placement: { headers: { a: '{token}', ...headers } } });
  const derived = { mac: { digest: 'sha256', of: '{token}', key: '{key}', as: 'hex' } } as const;
  it.each<[change: Partial<Provider>, needsSecret: boolean | undefined]>([
    [{}, undefined],
    [{ logout: { url: '/{token}' } }, false],
    [{ logout: { url: '/', form: { key: '{key}' } } }, true],
    [{ derived, logout: { url: '/', form: { mac: '{mac}' } } }, true],
    // What API calls carry is kept with the token.
    [{ ...placed({ b: '{key}' }), logout: { url: '/', form: { key: '{key}' } } }, false],
    [{ derived, ...placed({ b: '{mac}' }), logout: { url: '/', form: { mac: '{mac}' } } }, false],
    [{ ...placed({ b: '{key}' }), logout: { url: '/', form: { key: '{key}', id: '{id}' } } }, true],
  ])('say of %j whether a logout needs the secret: %s', (change, needsSecret) => {
    const ways = waysOf({ provider: { ...providerWith(change), name: 'any' }, settings: {} });
    expect(ways.logout?.needsSecret).toBe(needsSecret);
  });
});
