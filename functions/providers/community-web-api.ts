import { body, header, type Provider } from './provider.ts';

// One parameter for both, put together before it is encoded (C3, C4).
const CREDENTIAL = { as: { setting: 'loginParameter' }, fields: { l: '{username}|{password}' } } as const;
const ROLES = { 100: 'agent', 200: 'supervisor', 300: 'scheduler', 400: 'administrator', 1000: 'superuser' } as const;

/** CommunityWFM CommunityWebAPI: a password login, then a token that every gated answer renews (C2, C14, C15). */
export const communityWebApi = {
  secretFields: { username: { without: '|' }, password: { suspect: '|' } },
  settings: {
    /** Path of the login. */
    loginPath: { kind: 'path', default: '/AuthenticateEx' },
    /** How the login parameter travels (C3). */
    loginParameter: {
      kind: 'enum',
      values: ['form', 'query', 'json'],
      default: 'form',
      warnings: { query: "puts the password into the URL, and so into the upstream's access log" },
    },
    /** A cheap gated GET to slide with (C20). Left out: log in again instead. */
    keepAlivePath: { kind: 'path' },
  },
  defaults: { refreshAfterWithSlide: 0.5, lifetimeSeconds: 1200, maxSessionSeconds: 43_200 },
  logins: { system: { method: 'POST', path: { setting: 'loginPath' }, credential: [CREDENTIAL] } },
  tokenAt: body('authToken'),
  envelope: 'Data',
  refusal: { flag: 'Success', message: 'Message' },
  placement: { header: 'WFMSGAPIKEY' },
  lifetime: { from: 'setting' },
  slide: { pathSetting: 'keepAlivePath', tokenAt: header('WFMSGAPIKEY') },
  attributes: {
    agentId: { member: 'agentId', type: 'number' },
    userRole: { member: 'userRole', type: 'number' },
    userRoleName: { member: 'userRole', names: ROLES },
    userName: { member: 'userName', type: 'string' },
    timeZone: { member: 'timeZone', type: 'number' },
    language: { member: 'language', type: 'string' },
  },
} as const satisfies Provider;
