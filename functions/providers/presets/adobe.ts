import { clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Adobe server to server: the client id goes with every API call, and so it is a setting and no secret.
 * https://developer.adobe.com/cloud-storage/guides/authentication/
 * Not seen in the vendor's text: the names of the further headers.
 */
export const adobe = {
  secretFields: { clientSecret: {} },
  settings: {
    clientId: { kind: 'text' },
    scope: { kind: 'list', separator: ',' },
    organization: { kind: 'text', optional: true },
  },
  logins: { system: [clientSecretPost('https://ims-na1.adobelogin.com/ims/token/v3', { scope: '{scope}' })] },
  placement: {
    headers: { Authorization: 'Bearer {token}', 'x-api-key': '{clientId}', 'x-gw-ims-org-id': '{organization}' },
  },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
