import { BEARER, IN_SECONDS, type Provider, privateKeyJwt } from '../provider.ts';

const TOKEN_PATH = '/services/rest/auth/oauth2/v1/token';

/**
 * Oracle NetSuite, machine to machine, signed by PS256: RS256 is not among the algorithms that the vendor names.
 * https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162755359851.html
 */
export const netsuiteM2m = {
  secretFields: { clientId: {}, certificateId: {}, privateKey: { kind: 'pem' } },
  settings: { scope: { kind: 'list', separator: ',', default: 'rest_webservices' } },
  derived: {
    assertion: {
      jwt: {
        alg: 'PS256',
        key: '{privateKey}',
        header: { typ: 'JWT', kid: '{certificateId}' },
        claims: { iss: '{clientId}', scope: '{scope}', aud: `{baseUrl}${TOKEN_PATH}` },
        lifeSeconds: 300,
      },
    },
  },
  logins: { system: [privateKeyJwt(TOKEN_PATH)] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
