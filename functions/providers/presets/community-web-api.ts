import { body, header, type Provider } from '../provider.ts';

const ROLES = { 100: 'agent', 200: 'supervisor', 300: 'scheduler', 400: 'administrator', 1000: 'superuser' } as const;

/** CommunityWFM CommunityWebAPI: a password login, then a token that every gated answer renews (C2, C14, C15). */
export const communityWebApi = {
  secretFields: { username: { without: '|' }, password: { suspect: '|' } },
  settings: {
    /** Path of the login. */
    loginPath: { kind: 'path', default: '/AuthenticateEx' },
    /** Place of the login parameter in the request: `form`, `query` or `json` (C3). */
    loginParameter: {
      kind: 'enum',
      values: ['form', 'query', 'json'],
      default: 'form',
      warnings: { query: "puts the password into the URL, and so into the upstream's access log" },
    },
    /** A cheap gated GET to slide with (C20). Left out: log in again instead. */
    keepAlivePath: { kind: 'path', optional: true },
  },
  defaults: { refreshAfter: 0.75, refreshAfterWithRenewal: 0.5, lifetimeSeconds: 1200, maxSessionSeconds: 43_200 },
  // One parameter for both, put together before it is encoded (C3, C4).
  derived: { credential: { text: '{username}|{password}' } },
  logins: {
    system: [
      {
        url: '{loginPath}',
        parameters: { as: '{loginParameter}', of: { l: '{credential}' } },
        reads: { token: body('authToken') },
      },
    ],
  },
  envelope: 'Data',
  refusal: { flag: 'Success', message: 'Message' },
  placement: { headers: { WFMSGAPIKEY: '{token}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  renewal: {
    slide: {
      method: 'GET',
      url: '{keepAlivePath}',
      headers: { WFMSGAPIKEY: '{token}' },
      reads: { token: header('WFMSGAPIKEY') },
    },
    everyAnswer: true,
  },
  attributes: {
    agentId: { member: 'agentId', type: 'number' },
    userRole: { member: 'userRole', type: 'number' },
    userRoleName: { member: 'userRole', names: ROLES },
    userName: { member: 'userName', type: 'string' },
    timeZone: { member: 'timeZone', type: 'number' },
    language: { member: 'language', type: 'string' },
  },
} as const satisfies Provider;
