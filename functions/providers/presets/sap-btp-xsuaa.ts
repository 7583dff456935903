import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * SAP BTP, XSUAA: `uaaHost` is the host of the service key's `url`, `baseUrl` the API's.
 * https://sap.github.io/cloud-sdk/docs/java/v3/features/connectivity/mtls
 * Not seen in the vendor's text: the path, and Basic.
 */
export const sapBtpXsuaa = {
  secretFields: CLIENT,
  settings: { uaaHost: { kind: 'host' } },
  logins: { system: [clientSecretBasic('https://{uaaHost}/oauth/token')] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
