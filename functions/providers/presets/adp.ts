import { BEARER, CERTIFICATE, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * ADP over mutual TLS, at the login and at every API call: the proxy alone serves it.
 * https://docs.jitterbit.com/integration-studio/design/connectors/adp/connection-details/ (a third party: no vendor's
 * text was seen)
 */
export const adp = {
  secretFields: { clientId: {}, clientSecret: {}, certificate: { kind: 'pem' }, privateKey: { kind: 'pem' } },
  logins: {
    system: [{ ...clientSecretPost('https://accounts.adp.com/auth/oauth/v2/token'), certificate: CERTIFICATE }],
  },
  placement: { headers: BEARER, certificate: CERTIFICATE },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
