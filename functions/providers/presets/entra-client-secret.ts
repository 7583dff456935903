import { BEARER, CLIENT, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Microsoft Entra ID: client credentials for one resource, Microsoft Graph where `scope` is left out.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 * Not seen in the vendor's text: the request with a secret, taken from three catalogues.
 */
export const entraClientSecret = {
  secretFields: CLIENT,
  settings: {
    tenant: { kind: 'text' },
    scope: { kind: 'text', default: 'https://graph.microsoft.com/.default' },
    loginHost: { kind: 'host', default: 'login.microsoftonline.com' },
  },
  logins: { system: [clientSecretPost('https://{loginHost}/{tenant}/oauth2/v2.0/token', { scope: '{scope}' })] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
