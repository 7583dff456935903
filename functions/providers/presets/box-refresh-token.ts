import { BEARER, CLIENT, IN_SECONDS, type Provider, REFRESHED } from '../provider.ts';

/**
 * Box as a user who has consented: each refresh token is good for one use within 60 days, and its answer gives the
 * next. `baseUrl` is `https://api.box.com`.
 * https://developer.box.com/reference/post-oauth2-token--refresh and
 * https://developer.box.com/guides/authentication/tokens/refresh
 */
export const boxRefreshToken = {
  secretFields: { ...CLIENT, refreshToken: { rotates: { graceSeconds: 0, lapsesAfterSeconds: 5_184_000 } } },
  logins: {
    system: [
      {
        url: 'https://api.box.com/oauth2/token',
        form: {
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          refresh_token: '{refreshToken}',
          grant_type: 'refresh_token',
        },
        reads: REFRESHED,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
