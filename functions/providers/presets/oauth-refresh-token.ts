import {
  BEARER,
  GRANT_SETTINGS,
  GRANTED,
  OAUTH_LIFE,
  type Provider,
  REFRESHED,
  REFRESHING_CLIENT,
} from '../provider.ts';

/**
 * A refresh token as the credential, the client's secret in the form (RFC 6749 §2.3.1, §6): a person has consented
 * once, and every mint uses it. If an answer gives the next one, the one before is spent.
 */
export const oauthRefreshToken = {
  secretFields: REFRESHING_CLIENT,
  settings: GRANT_SETTINGS,
  logins: {
    system: [
      {
        url: '{tokenPath}',
        form: {
          grant_type: 'refresh_token',
          refresh_token: '{refreshToken}',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          ...GRANTED,
        },
        reads: REFRESHED,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
