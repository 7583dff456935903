import { body, CLIENT, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Toast: at most two tokens an hour.
 * https://doc.toasttab.com/doc/devguide/apiAuthenticationRateLimit.html and
 * https://doc.toasttab.com/doc/devguide/authentication.html
 * Not seen in the vendor's text: `userAccessType`.
 */
export const toast = {
  secretFields: CLIENT,
  settings: { restaurant: { kind: 'text', optional: true } },
  logins: {
    system: [
      {
        url: '/authentication/v1/authentication/login',
        json: { clientId: '{clientId}', clientSecret: '{clientSecret}', userAccessType: 'TOAST_MACHINE_CLIENT' },
        reads: { token: body('token', 'accessToken'), life: body('token', 'expiresIn') },
      },
    ],
  },
  placement: { headers: { Authorization: 'Bearer {token}', 'toast-restaurant-external-id': '{restaurant}' } },
  lifetime: IN_SECONDS,
  limits: { tokens: { count: 2, perSeconds: 3600 } },
} as const satisfies Provider;
