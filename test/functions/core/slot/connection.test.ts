import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FingerprintedFields,
  fingerprintOf,
  lifetimeSecondsOf,
} from '../../../../functions/core/slot/connection.ts';
import type { ResolvedProvider } from '../../../../functions/core/slot/provider.ts';
import { settingsOf } from '../../../fuzz/runs.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const someProvider: ResolvedProvider = {
  name: 'some-provider',
  secretFields: { apiKey: {} },
  logins: { system: [{ url: '/token', json: { key: '{apiKey}' }, reads: { token: { in: 'body', path: ['token'] } } }] },
  placement: { headers: { authorization: 'Bearer {token}' } },
  lifetime: [{ jwt: 'token' }],
};

const fields: FingerprintedFields = {
  provider: someProvider,
  baseUrl: 'https://upstream.example.com/api',
  secret: 'token-broker/helpdesk',
  settings: { loginPath: '/login', loginParameter: 'form' },
};

const arbitraryFields = fc.record({
  provider: fc.string().map((name) => ({ ...someProvider, name })),
  baseUrl: fc.string(),
  secret: fc.string(),
  settings: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true, maxKeys: 5 }),
});

describe('fingerprintOf (invariant 8, C21)', () => {
  it('is 16 hex digits that stay the same from one release to the next', () => {
    expect(fingerprintOf(fields)).toBe('1d2209a083ca9bca');
  });

  it.each([
    ['provider', { ...fields, provider: { ...someProvider, name: 'other-provider' } }],
    ['base URL', { ...fields, baseUrl: 'https://upstream.example.com/api/v2' }],
    ['secret', { ...fields, secret: 'token-broker/other' }],
    ['value of a login setting', { ...fields, settings: { ...fields.settings, loginParameter: 'json' } }],
    ['presence of a login setting', { ...fields, settings: { loginPath: '/login' } }],
  ])('changes with the %s', (_what, changed) => {
    expect(fingerprintOf(changed)).not.toBe(fingerprintOf(fields));
  });

  it.each([
    ['placement', { ...someProvider, placement: { headers: { 'x-token': '{token}' } } }],
    [
      'login',
      { ...someProvider, logins: { system: [{ url: '/another', reads: { token: { in: 'text' as const } } }] } },
    ],
  ])("changes with the provider's %s", (_what, provider) => {
    expect(fingerprintOf({ ...fields, provider })).not.toBe(fingerprintOf(fields));
  });

  it('does not change with what only judges answers or says more beside a token', () => {
    const provider = { ...someProvider, answers: [], limits: { reissues: true as const }, attributes: {} };
    expect(fingerprintOf({ ...fields, provider })).toBe(fingerprintOf(fields));
  });

  it('does not depend on the order in which settings were declared', () => {
    fc.assert(
      fc.property(arbitraryFields, (some) => {
        const reversed = Object.fromEntries(Object.entries(some.settings).reverse());

        expect(fingerprintOf({ ...some, settings: reversed })).toBe(fingerprintOf(some));
      }),
      settingsOf(100),
    );
  });

  it('differs for any two different sets of fields, however their texts run together', () => {
    const canonical = (some: FingerprintedFields) =>
      JSON.stringify([some.provider, some.baseUrl, some.secret, Object.entries(some.settings).sort()]);
    fc.assert(
      fc.property(arbitraryFields, arbitraryFields, (one, other) => {
        fc.pre(canonical(one) !== canonical(other));

        expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
      }),
      settingsOf(100),
    );
    expect(fingerprintOf({ ...fields, baseUrl: 'a', secret: 'bc' })).not.toBe(
      fingerprintOf({ ...fields, baseUrl: 'ab', secret: 'c' }),
    );
  });

  it('ignores what does not change the token', () => {
    const tuned = { ...fields, minTtlSeconds: 5, timeoutSeconds: 12, name: 'other' };

    expect(fingerprintOf(tuned)).toBe(fingerprintOf(fields));
  });
});

describe('lifetimeSecondsOf', () => {
  it.each([
    [undefined, 3_600, 3_600],
    [1_200, 3_600, 1_200],
    [7_200, 3_600, 3_600],
  ])(
    'takes the smaller of a fixed life of %s s and a cap of %i s: %i s',
    (lifetimeSeconds, maxTokenAgeSeconds, longest) => {
      const life = lifetimeSeconds === undefined ? {} : { lifetimeSeconds };

      expect(lifetimeSecondsOf(helpdeskConnection({ maxTokenAgeSeconds, ...life }))).toBe(longest);
    },
  );
});
