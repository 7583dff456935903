import { BEARER, CLIENT, clientSecretPost, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * ServiceNow client credentials.
 * https://www.servicenow.com/docs/r/platform-security/authentication/client-credentials.html
 * Not seen in the vendor's text: the path and the names of the parameters.
 */
export const servicenow = {
  secretFields: CLIENT,
  logins: { system: [clientSecretPost('/oauth_token.do')] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
