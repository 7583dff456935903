import { BEARER, CLIENT, IN_SECONDS, type Provider, REFRESHED } from '../provider.ts';

/**
 * QuickBooks Online as a company that has consented: an answer may give the next refresh token, and one that nobody
 * uses for 100 days is over. `baseUrl` is `https://quickbooks.api.intuit.com`, or the sandbox's.
 * https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq and, for the request
 * and the answer, the vendor's own client: https://github.com/intuit/oauth-jsclient
 * Not seen in the vendor's text: for how long the refresh token before is still taken.
 */
export const quickbooks = {
  secretFields: { ...CLIENT, refreshToken: { rotates: { graceSeconds: 0, lapsesAfterSeconds: 8_640_000 } } },
  logins: {
    system: [
      {
        url: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
        basic: { user: '{clientId}', password: '{clientSecret}' },
        form: { grant_type: 'refresh_token', refresh_token: '{refreshToken}' },
        reads: REFRESHED,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
