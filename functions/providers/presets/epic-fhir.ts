import { BEARER, IN_SECONDS, type Provider, privateKeyJwt } from '../provider.ts';

const TOKEN_PATH = '/oauth2/token';

/**
 * Epic, a backend app; one connection a customer's server. New apps must publish their keys at a URL.
 * https://fhir.epic.com/Documentation?docId=oauth2
 * Not seen in the vendor's text: the request; it is that of SMART backend services, from third parties.
 */
export const epicFhir = {
  secretFields: { clientId: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  derived: {
    id: { random: 'uuid' },
    assertion: {
      jwt: {
        alg: 'RS384',
        key: '{privateKey}',
        header: { typ: 'JWT', kid: '{keyId}' },
        claims: { iss: '{clientId}', sub: '{clientId}', aud: `{baseUrl}${TOKEN_PATH}`, jti: '{id}' },
        lifeSeconds: 240,
      },
    },
  },
  logins: { system: [privateKeyJwt(TOKEN_PATH)] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
