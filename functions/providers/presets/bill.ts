import { body, type Provider } from '../provider.ts';

/**
 * BILL: the developer key goes with every call, so the proxy alone serves it. Its idle life is taken as absolute.
 * https://developer.bill.com/reference/login and https://developer.bill.com/docs/common-api-error-codes
 * Not seen in the vendor's text: the names of the headers, and the production URL.
 */
export const bill = {
  secretFields: { username: {}, password: {}, organizationId: {}, devKey: {} },
  defaults: { lifetimeSeconds: 2100 },
  logins: {
    system: [
      {
        url: '/v3/login',
        json: {
          username: '{username}',
          password: '{password}',
          organizationId: '{organizationId}',
          devKey: '{devKey}',
        },
        reads: { token: body('sessionId') },
      },
    ],
  },
  placement: { headers: { sessionid: '{token}', devkey: '{devKey}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  answers: [
    { at: body(0, 'code'), is: ['BDC_1101', 'BDC_1102'], means: 'credential', message: body(0, 'message') },
    { at: body(0, 'code'), is: ['BDC_1322'], means: 'throttled' },
  ],
  logout: { url: '/v3/logout', headers: { sessionid: '{token}', devkey: '{devKey}' } },
} as const satisfies Provider;
