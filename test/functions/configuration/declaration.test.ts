import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { type ConnectionsDeclaration, defineConnections } from '../../../functions/configuration/declaration.ts';
import { body, type Provider } from '../../../functions/providers/provider.ts';
import { type Presets, providers } from '../../../functions/providers/registry.ts';
import { helpdesk, problemsOf, wfm } from './declared.ts';

/** A further provider, as a file of its own and a line in the table would make it known. */
const bookings = {
  secretFields: { clientId: {}, clientSecret: {} },
  settings: {
    tokenPath: { kind: 'path', default: '/oauth/token' },
    grantType: { kind: 'enum', values: ['client_credentials', 'password'], default: 'client_credentials' },
  },
  logins: {
    system: [
      {
        url: '{tokenPath}',
        form: { grant_type: '{grantType}', client_id: '{clientId}', client_secret: '{clientSecret}' },
        reads: { token: body('access_token'), life: body('expires_in') },
      },
    ],
  },
  placement: { headers: { authorization: 'Bearer {token}' } },
  lifetime: [{ value: 'life', as: 'seconds' }],
} as const satisfies Provider;

describe('defineConnections', () => {
  it('gives back what it is given', () => {
    const declared = { connections: { it: { ...wfm, keepAlivePath: '/Ping', proxy: { methods: ['GET'] } } } } as const;

    expect(defineConnections(declared)).toBe(declared);
  });

  it('takes a provider of one’s own whose login is JSON, which a compiler must not follow without end', () => {
    const declared = defineConnections({
      connections: { crm: { provider: 'crm', baseUrl: 'https://crm.example.com' } },
      providers: {
        crm: {
          secretFields: { apiKey: {} },
          logins: {
            system: [{ url: '/login', json: { key: ['{apiKey}', { of: 'crm' }] }, reads: { token: body('token') } }],
          },
          placement: { headers: { Authorization: 'Bearer {token}' } },
          lifetime: [{ seconds: 600 }],
        },
      },
    });

    expect(resolveConnections(declared).connections['crm']?.provider.secretFields).toEqual({ apiKey: {} });
  });

  it('lets the compiler find what the check would refuse', () => {
    // @ts-expect-error: `timeout` is no key.
    defineConnections({ connections: { it: { ...wfm, timeout: 6 } } });
    // @ts-expect-error: seconds are numbers.
    defineConnections({ connections: { it: { ...wfm, timeoutSeconds: '6' } } });
    // @ts-expect-error: a connection has a base URL.
    defineConnections({ connections: { it: { provider: 'helpmaster' } } });
    // @ts-expect-error: there is no such provider.
    defineConnections({ connections: { it: { ...wfm, provider: 'nope' } } });
    // @ts-expect-error: a path of another provider.
    defineConnections({ connections: { it: { ...wfm, userTokenPath: '/session' } } });
    // @ts-expect-error: a life that this provider's tokens say themselves.
    defineConnections({ connections: { it: { ...helpdesk, lifetimeSeconds: 600 } } });
    // @ts-expect-error: no word of that setting.
    defineConnections({ connections: { it: { ...wfm, loginParameter: 'header' } } });
    // @ts-expect-error: no key of `proxy`.
    defineConnections({ connections: { it: { ...wfm, proxy: { method: ['GET'] } } } });
    const rule = { issuer: 'https://i.example.com', audience: 'a', connections: ['it'] };
    // @ts-expect-error: no key of a trust entry.
    defineConnections({ connections: { it: wfm }, trust: [{ ...rule, subjekt: 's' }] });
  });
});

describe('a provider in the table', () => {
  type Known = Presets & { readonly bookings: typeof bookings };
  const define = (declaration: ConnectionsDeclaration<Known>) => declaration;
  const table = { ...providers, bookings };
  const least = { provider: 'bookings', baseUrl: 'https://x.example' } as const;

  it('has its settings, of whatever name, in the declared type and in the check', () => {
    const declared = define({ connections: { a: { ...least, grantType: 'password' }, b: helpdesk } });

    expect(resolveConnections(declared, table).connections['a']?.settings).toEqual({
      tokenPath: '/oauth/token',
      grantType: 'password',
    });
  });

  it('has no other keys, for the compiler nor for the check', () => {
    // @ts-expect-error: `grantTyp` is no key.
    const misspelt = define({ connections: { a: { ...least, grantTyp: 'password' } } });
    // @ts-expect-error: `header` is no word of `grantType`.
    const misworded = define({ connections: { a: { ...least, grantType: 'header' } } });

    expect(() => resolveConnections(misspelt, table)).toThrow(
      /connections\.a\.grantTyp: is not a key of a connection\. Its keys: .*`grantType`/,
    );
    expect(() => resolveConnections(misworded, table)).toThrow(
      /connections\.a\.grantType: must be one of `client_credentials`, `password`/,
    );
  });

  it('is unknown outside it', () => {
    expect(problemsOf({ ...least, bookingSite: 'a' }).map(({ path }) => path)).toEqual(['provider', 'bookingSite']);
  });
});
