import { BEARER, body, type Provider } from '../provider.ts';

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
  userSubject: {
    key: 'staff',
    pattern: '[1-9][0-9]{0,9}',
    maximum: 2_147_483_647,
    words: 'staff PKID: a positive integer without leading zeros, at most 2147483647',
  },
  logins: {
    system: [{ url: '{systemTokenPath}', json: { apiKey: '{apiKey}' }, reads: { token: body('token') } }],
    user: [
      {
        url: '{userTokenPath}',
        json: { apiKey: '{apiKey}', loggedInUserPKID: { number: '{subject}' } },
        reads: { token: body('token') },
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: [{ jwt: 'token' }],
  ownerClaim: 'userid',
  refusal: { flag: 'success', message: 'failMessage' },
  answers: [
    // A status cannot tell a bad key from a bad PKID, except that no PKID makes a 401 (H10).
    { of: 'user', status: [401], means: 'credential' },
    { of: 'user', status: [400, 403, 404], means: 'subject' },
    {
      of: 'system',
      status: [404],
      means: 'unusable',
      hint: 'This version of HelpMaster does not support system tokens, or `systemTokenPath` or `baseUrl` is wrong. Upgrade it, or use staff subjects.',
    },
  ],
} as const satisfies Provider;
