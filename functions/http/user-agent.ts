import { readFileSync } from 'node:fs';

/** The version of `package.json`, which a bundle has in place of this name. */
declare const TOKEN_BROKER_VERSION: string | undefined;

/**
 * `User-Agent` of every request to an upstream or an issuer that brings none of its own, and to the store (RFC 9110
 * §10.1.5, J11).
 */
export const USER_AGENT = `token-broker/${typeof TOKEN_BROKER_VERSION === 'string' ? TOKEN_BROKER_VERSION : readVersion()}`;

function readVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
