import type { Provider } from '../provider.ts';

/**
 * Snowflake by a key pair: the signed JWT is the token. `account` and `user` in upper case.
 * https://docs.snowflake.com/developer-guide/sql-api/authenticating
 * Not seen in the vendor's text: upper case, the limit of an hour, and a call that runs no statement, so there is no
 * probe.
 */
export const snowflake = {
  secretFields: { privateKey: { kind: 'pem' } },
  settings: { account: { kind: 'text' }, user: { kind: 'text' } },
  derived: {
    print: { publicKeyOf: '{privateKey}', as: 'base64' },
    token: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        claims: { iss: '{account}.{user}.SHA256:{print}', sub: '{account}.{user}' },
        lifeSeconds: 3540,
      },
    },
  },
  logins: { system: [] },
  placement: {
    headers: { Authorization: 'Bearer {token}', 'x-snowflake-authorization-token-type': 'KEYPAIR_JWT' },
  },
  lifetime: [{ jwt: 'token' }],
} as const satisfies Provider;
