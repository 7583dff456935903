import { BEARER, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * FedEx: `grantType` and a second pair of credentials depend on the kind of customer.
 * https://developer.fedex.com/api/en-us/catalog/authorization/docs.html
 */
export const fedex = {
  secretFields: { clientId: {}, clientSecret: {}, childKey: { optional: true }, childSecret: { optional: true } },
  settings: {
    grantType: {
      kind: 'enum',
      values: ['client_credentials', 'csp_credentials', 'client_pc_credentials'],
      default: 'client_credentials',
    },
  },
  logins: {
    system: [
      clientSecretPost('/oauth/token', {
        grant_type: '{grantType}',
        child_key: '{childKey}',
        child_secret: '{childSecret}',
      }),
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
