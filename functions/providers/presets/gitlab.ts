import { BEARER, IN_SECONDS, type Provider, REFRESHED, REFRESHING_CLIENT } from '../provider.ts';

/**
 * GitLab as a user who has consented: a refresh ends the access token and the refresh token before it. `redirectUri` is
 * that of the authorization request.
 * https://docs.gitlab.com/api/oauth2/#authorization-code-flow
 * Not seen in the vendor's text: how long a refresh token lives that nobody uses, and the errors.
 */
export const gitlab = {
  secretFields: REFRESHING_CLIENT,
  settings: { redirectUri: { kind: 'text' } },
  logins: {
    system: [
      {
        url: '/oauth/token',
        form: {
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          refresh_token: '{refreshToken}',
          grant_type: 'refresh_token',
          redirect_uri: '{redirectUri}',
        },
        reads: REFRESHED,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
  limits: { single: true },
} as const satisfies Provider;
