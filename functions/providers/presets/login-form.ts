import { BEARER, body, type Provider } from '../provider.ts';

/** A user name and a password as a form, a token in the answer's member `token`. */
export const loginForm = {
  secretFields: { username: {}, password: {} },
  settings: { loginPath: { kind: 'path', default: '/login' } },
  defaults: { maxTokenAgeSeconds: 3600 },
  logins: {
    system: [
      { url: '{loginPath}', form: { username: '{username}', password: '{password}' }, reads: { token: body('token') } },
    ],
  },
  placement: { headers: BEARER },
  lifetime: [{ jwt: 'token' }],
} as const satisfies Provider;
