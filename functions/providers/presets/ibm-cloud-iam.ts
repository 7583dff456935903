import { BEARER, body, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * IBM Cloud IAM: an API key to a token for every IBM Cloud API; `baseUrl` is that API's.
 * https://cloud.ibm.com/docs/iam?topic=iam-iamtoken_from_apikey
 */
export const ibmCloudIam = {
  secretFields: { apiKey: {} },
  logins: {
    system: [
      {
        url: 'https://iam.cloud.ibm.com/identity/token',
        form: { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: '{apiKey}' },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
  answers: [
    { at: body('errorCode'), is: ['BXNIM0415E', 'BXNIM0439E'], means: 'credential', message: body('errorMessage') },
  ],
} as const satisfies Provider;
