import { body, type Provider } from '../provider.ts';

/**
 * Tableau by a personal access token: a second sign-in with it ends the first session.
 * https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_auth.htm
 * Not seen in the vendor's text: the form of `estimatedTimeToExpiration`; `lifetimeSeconds` says the end.
 */
export const tableau = {
  secretFields: { name: {}, value: {} },
  settings: { site: { kind: 'text', default: '' }, version: { kind: 'text', default: '3.27' } },
  defaults: { lifetimeSeconds: 7200 },
  logins: {
    system: [
      {
        url: '/api/{version}/auth/signin',
        json: {
          credentials: {
            personalAccessTokenName: '{name}',
            personalAccessTokenSecret: '{value}',
            site: { contentUrl: '{site}' },
          },
        },
        reads: { token: body('credentials', 'token') },
      },
    ],
  },
  placement: { headers: { 'x-tableau-auth': '{token}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  answers: [{ at: body('error', 'code'), is: ['401001', '401002'], means: 'credential' }],
  limits: { single: true },
  logout: { url: '/api/{version}/auth/signout', headers: { 'x-tableau-auth': '{token}' } },
} as const satisfies Provider;
