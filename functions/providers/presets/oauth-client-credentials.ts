import { BEARER, GRANT_SETTINGS, GRANTED, OAUTH_ANSWER, OAUTH_LIFE, type Provider } from '../provider.ts';

/**
 * OAuth 2.0 client credentials, the secret in the form: `client_secret_post` (RFC 6749 §2.3.1, §4.4). `audience` is
 * what many servers want in place of the `resource` of RFC 8707; of what is left out nothing is sent.
 */
export const oauthClientCredentials = {
  secretFields: { clientId: {}, clientSecret: {} },
  settings: { ...GRANT_SETTINGS, parametersAs: { kind: 'enum', values: ['form', 'json'], default: 'form' } },
  logins: {
    system: [
      {
        url: '{tokenPath}',
        parameters: {
          as: '{parametersAs}',
          of: {
            grant_type: 'client_credentials',
            client_id: '{clientId}',
            client_secret: '{clientSecret}',
            ...GRANTED,
          },
        },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
