import {
  BEARER,
  GRANT_SETTINGS,
  GRANTED,
  OAUTH_LIFE,
  type Provider,
  REFRESHED,
  REFRESHING_CLIENT,
} from '../provider.ts';

/** A refresh token as the credential, the client's secret in Basic (RFC 6749 §2.3.1, §6), which every server takes. */
export const oauthRefreshTokenBasic = {
  secretFields: REFRESHING_CLIENT,
  settings: GRANT_SETTINGS,
  logins: {
    system: [
      {
        url: '{tokenPath}',
        basic: { user: '{clientId}', password: '{clientSecret}', formEncoded: true },
        form: { grant_type: 'refresh_token', refresh_token: '{refreshToken}', ...GRANTED },
        reads: REFRESHED,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
