import { BEARER, body, type Provider } from '../provider.ts';

/**
 * A user name and a password as JSON, a token in the answer's member `token`. For an API with other names declare a
 * provider of your own: it is as short as this.
 */
export const loginJson = {
  secretFields: { username: {}, password: {} },
  settings: { loginPath: { kind: 'path', default: '/login' } },
  defaults: { maxTokenAgeSeconds: 3600 },
  logins: {
    system: [
      { url: '{loginPath}', json: { username: '{username}', password: '{password}' }, reads: { token: body('token') } },
    ],
  },
  placement: { headers: BEARER },
  lifetime: [{ jwt: 'token' }],
} as const satisfies Provider;
