import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * PayPal; the sandbox is another `baseUrl`.
 * https://developer.paypal.com/api/rest/authentication/
 */
export const paypal = {
  secretFields: CLIENT,
  logins: { system: [clientSecretBasic('/v1/oauth2/token')] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
