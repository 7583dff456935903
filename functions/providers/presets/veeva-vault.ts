import { body, type Provider } from '../provider.ts';

const ERROR_TYPE = body('errors', 0, 'type');

/**
 * Veeva Vault: a session that ends after `lifetimeSeconds` without a call, as the vault's administrator has set it; it
 * is taken as absolute.
 * https://developer.veevavault.com/api/ (the types of errors are those of its page "Error Types")
 * Not seen in the vendor's text: how many logins are too many.
 */
export const veevaVault = {
  secretFields: { username: {}, password: {} },
  settings: { version: { kind: 'text', default: 'v24.3' } },
  defaults: { lifetimeSeconds: 600 },
  logins: {
    system: [
      {
        url: '/api/{version}/auth',
        form: { username: '{username}', password: '{password}' },
        reads: { token: body('sessionId') },
      },
    ],
  },
  placement: { headers: { Authorization: '{token}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  answers: [
    { at: body('responseStatus'), is: ['SUCCESS'], means: 'ok' },
    { at: ERROR_TYPE, is: ['API_LIMIT_EXCEEDED'], means: 'throttled' },
    { at: ERROR_TYPE, is: ['USER_LOCKED_OUT'], means: 'locked' },
    {
      at: ERROR_TYPE,
      is: ['USERNAME_OR_PASSWORD_INCORRECT', 'NO_PASSWORD_PROVIDED', 'INACTIVE_USER', 'PASSWORD_CHANGE_REQUIRED'],
      means: 'credential',
      message: body('errors', 0, 'message'),
    },
  ],
} as const satisfies Provider;
