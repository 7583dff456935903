import { BEARER, CLIENT, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

const TOKEN_URL = 'https://api.box.com/oauth2/token';

/**
 * Box client credentials, as the enterprise's service account or as one user by id. `baseUrl` is `https://api.box.com`.
 * https://developer.box.com/guides/authentication/client-credentials/
 */
export const box = {
  secretFields: CLIENT,
  settings: { enterpriseId: { kind: 'text' } },
  userSubject: { pattern: '[1-9][0-9]{0,19}', words: "user's id: a positive integer" },
  logins: {
    system: [clientSecretPost(TOKEN_URL, { box_subject_type: 'enterprise', box_subject_id: '{enterpriseId}' })],
    user: [clientSecretPost(TOKEN_URL, { box_subject_type: 'user', box_subject_id: '{subject}' })],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
