import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Xero custom connection; `baseUrl` is `https://api.xero.com`.
 * https://developer.xero.com/documentation/guides/oauth2/custom-connections/
 * Not seen in the vendor's text: endpoint and parameters, taken from two catalogues.
 */
export const xeroCustomConnection = {
  secretFields: CLIENT,
  settings: { scope: { kind: 'list', optional: true } },
  logins: { system: [clientSecretBasic('https://identity.xero.com/connect/token', { scope: '{scope}' })] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
