import { BEARER, body, jwtBearer, type Provider } from '../provider.ts';

/**
 * Salesforce by a signed JWT, as the user of the secret. The answer names the API's host and no end: `lifetimeSeconds`
 * is the org's session policy.
 * https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
 * Not seen in the vendor's text: the JWT's three minutes, and that the answer has no `expires_in`.
 */
export const salesforceJwt = {
  secretFields: { clientId: {}, username: {}, privateKey: { kind: 'pem' } },
  settings: { loginHost: { kind: 'host', default: 'login.salesforce.com' } },
  defaults: { lifetimeSeconds: 7200 },
  derived: {
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        claims: { iss: '{clientId}', sub: '{username}', aud: 'https://{loginHost}' },
        lifeSeconds: 180,
      },
    },
  },
  logins: {
    system: [
      {
        ...jwtBearer('https://{loginHost}/services/oauth2/token'),
        reads: { token: body('access_token'), instance: body('instance_url') },
      },
    ],
  },
  placement: { headers: BEARER, baseUrl: '{instance}', hosts: ['*.salesforce.com', '*.force.com'] },
  lifetime: [{ setting: 'lifetimeSeconds' }],
} as const satisfies Provider;
