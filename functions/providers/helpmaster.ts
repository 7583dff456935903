import { body, type Provider } from './provider.ts';

/** HelpMaster Web API: an API key in, a JWT out, as the system or as one staff member (H3, H4, H5, H6). */
export const helpmaster = {
  secretFields: { apiKey: {} },
  settings: {
    /** Path that gives the system's token (H3). */
    systemTokenPath: { kind: 'path', default: '/user/getsystemtoken' },
    /** Path that gives a staff member's token (H4). */
    userTokenPath: { kind: 'path', default: '/user/gettoken' },
  },
  defaults: { refreshAfter: 0.8 },
  logins: {
    system: {
      method: 'POST',
      path: { setting: 'systemTokenPath' },
      credential: [{ as: 'json', fields: { apiKey: '{apiKey}' } }],
      hints: {
        404: 'This version of HelpMaster does not support system tokens, or `systemTokenPath` or `baseUrl` is wrong. Upgrade it, or use staff subjects.',
      },
    },
    staff: {
      method: 'POST',
      path: { setting: 'userTokenPath' },
      credential: [{ as: 'json', fields: { apiKey: '{apiKey}', loggedInUserPKID: { number: '{subject}' } } }],
      // A status cannot tell a bad key from a bad PKID, except that no PKID makes a 401 (H10).
      refusesCredential: [401],
      refusesSubject: [400, 403, 404],
      ownerClaim: 'userid',
    },
  },
  tokenAt: body('token'),
  refusal: { flag: 'success', message: 'failMessage' },
  placement: { header: 'Authorization', scheme: 'Bearer' },
  lifetime: { from: 'jwt' },
} as const satisfies Provider;
