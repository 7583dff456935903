import { body, CLIENT, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

const CREDENTIAL = { client_id: '{clientId}', client_secret: '{clientSecret}' };

/**
 * Looker, as the API key's own user, or as another by id: then the key's token asks for theirs.
 * https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/ApiAuth/login_user
 * Not seen in the vendor's text: the hour of a token, and logout.
 */
export const looker = {
  secretFields: CLIENT,
  userSubject: { pattern: '[1-9][0-9]{0,9}', words: "user's id: a positive integer" },
  logins: {
    system: [{ url: '/api/4.0/login', form: CREDENTIAL, reads: OAUTH_ANSWER }],
    user: [
      { url: '/api/4.0/login', form: CREDENTIAL, reads: { admin: body('access_token') } },
      { url: '/api/4.0/login/{subject}', headers: { authorization: 'token {admin}' }, reads: OAUTH_ANSWER },
    ],
  },
  placement: { headers: { Authorization: 'token {token}' } },
  lifetime: IN_SECONDS,
  answers: [{ of: 'user', status: [404], means: 'subject' }],
  logout: { method: 'DELETE', url: '/api/4.0/logout', headers: { authorization: 'token {token}' } },
} as const satisfies Provider;
