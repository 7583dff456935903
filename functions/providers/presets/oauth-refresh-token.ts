import { BEARER, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * A refresh token as the credential (RFC 6749 §6): a person has consented once, and every mint uses it. For
 * upstreams whose refresh tokens stay: the next value is not kept yet.
 */
export const oauthRefreshToken = {
  secretFields: { clientId: {}, clientSecret: {}, refreshToken: { rotates: { graceSeconds: 0 } } },
  settings: { tokenPath: { kind: 'path', default: '/oauth2/token' }, scope: { kind: 'list', optional: true } },
  logins: {
    system: [
      {
        url: '{tokenPath}',
        form: {
          grant_type: 'refresh_token',
          refresh_token: '{refreshToken}',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          scope: '{scope}',
        },
        reads: { ...OAUTH_ANSWER, refreshToken: { in: 'body', path: ['refresh_token'] } },
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
