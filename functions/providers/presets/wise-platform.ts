import { BEARER, CERTIFICATE, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Wise Platform over mutual TLS, at the login and at every API call: the proxy alone serves it.
 * https://docs.wise.com/api-docs/guides/embedded-finance/authentication-and-access
 */
export const wisePlatform = {
  secretFields: { clientId: {}, clientSecret: {}, certificate: { kind: 'pem' }, privateKey: { kind: 'pem' } },
  logins: { system: [{ ...clientSecretBasic('/oauth/token'), certificate: CERTIFICATE }] },
  placement: { headers: BEARER, certificate: CERTIFICATE },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
