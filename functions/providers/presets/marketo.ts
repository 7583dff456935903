import { BEARER, CLIENT, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * Adobe Marketo: the same token is given again until its end, and `expires_in` is what remains of it. The credential
 * travels in the query.
 * https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication
 */
export const marketo = {
  secretFields: CLIENT,
  logins: {
    system: [
      {
        method: 'GET',
        url: '/identity/oauth/token',
        query: { grant_type: 'client_credentials', client_id: '{clientId}', client_secret: '{clientSecret}' },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
  limits: { reissues: true },
} as const satisfies Provider;
