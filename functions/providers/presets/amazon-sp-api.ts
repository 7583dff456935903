import { IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * Amazon Selling Partner API by a refresh token that does not change; `baseUrl` is the API's regional host.
 * https://developer-docs.amazon.com/amazon-shipping/docs/connecting-to-the-selling-partner-api
 */
export const amazonSpApi = {
  secretFields: { clientId: {}, clientSecret: {}, refreshToken: {} },
  logins: {
    system: [
      {
        url: 'https://api.amazon.com/auth/o2/token',
        form: {
          grant_type: 'refresh_token',
          refresh_token: '{refreshToken}',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
        },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: { 'x-amz-access-token': '{token}' } },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
