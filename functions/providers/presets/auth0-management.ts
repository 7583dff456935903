import { BEARER, CLIENT, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Auth0 Management API. `audience` is `https://{domain}/api/v2/`.
 * https://auth0.com/docs/secure/tokens/access-tokens/management-api-access-tokens/get-management-api-access-tokens-for-production
 */
export const auth0Management = {
  secretFields: CLIENT,
  settings: { audience: { kind: 'text', default: '{baseUrl}/api/v2/' } },
  logins: { system: [clientSecretPost('/oauth/token', { audience: '{audience}' })] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
