import { createHmac, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

/** Faults of a token, by name. */
export const tokenKinds = [
  'normal',
  'expired',
  'without-expiry',
  'not-yet-valid',
  'issued-in-the-future',
  'alg-none',
  'hs256-with-the-public-key',
  'unknown-key',
  'without-key-id',
  'foreign-signature',
  'broken-signature',
  'unknown-critical-header',
  'own-key-in-the-header',
  'huge',
] as const;

/** A kind of JWT that the demo issuer makes. */
export type TokenKind = (typeof tokenKinds)[number];

/** Claims of a workload; `iss`, `iat` and `exp` have defaults. */
export interface WorkloadClaims {
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  readonly sub?: string;
  readonly [claim: string]: unknown;
}

/** Keys of an issuer. */
export interface IssuerKeyring {
  sign(claims: WorkloadClaims, kind: TokenKind): Promise<string>;
  /** Returns the public keys as JWKs. */
  published(): Promise<readonly JWK[]>;
  rotate(): Promise<void>;
}

const ALGORITHM = 'ES256';
const LIFE_SECONDS = 300;
const HUGE_CHARACTERS = 40_000;

/** Creates a keyring with one new key. */
export async function createIssuerKeyring(): Promise<IssuerKeyring> {
  let current = await newKey();

  async function sign(claims: WorkloadClaims, kind: TokenKind): Promise<string> {
    const payload = payloadOf(claims, kind);
    switch (kind) {
      case 'alg-none':
        return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`;
      case 'hs256-with-the-public-key':
        return hmacSigned({ alg: 'HS256', kid: current.kid }, payload, await exportSPKI(current.publicKey));
      case 'broken-signature':
        return (await signed(current, payload)).replace(/.{6}$/, 'AAAAAA');
      case 'foreign-signature':
        return signed({ ...(await newKey()), kid: current.kid }, payload);
      case 'unknown-key':
        return signed(await newKey(), payload);
      case 'without-key-id':
        return new SignJWT(payload).setProtectedHeader({ alg: ALGORITHM }).sign(current.privateKey);
      case 'unknown-critical-header':
        return new SignJWT(payload)
          .setProtectedHeader({ alg: ALGORITHM, kid: current.kid, crit: ['x-demo'], 'x-demo': true })
          .sign(current.privateKey, { crit: { 'x-demo': true } });
      case 'own-key-in-the-header': {
        const own = await newKey();
        return new SignJWT(payload)
          .setProtectedHeader({ alg: ALGORITHM, kid: own.kid, jwk: await exportJWK(own.publicKey) })
          .sign(own.privateKey);
      }
      default:
        return signed(current, payload);
    }
  }

  return {
    sign,
    published: async () => [{ ...(await exportJWK(current.publicKey)), kid: current.kid, alg: ALGORITHM, use: 'sig' }],
    async rotate() {
      current = await newKey();
    },
  };
}

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

async function newKey(): Promise<Key> {
  return { kid: randomUUID(), ...(await generateKeyPair(ALGORITHM, { extractable: true })) };
}

function signed({ kid, privateKey }: Key, payload: Record<string, unknown>): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid }).sign(privateKey);
}

function payloadOf(claims: WorkloadClaims, kind: TokenKind): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const base = { iat: now, exp: now + LIFE_SECONDS, jti: randomUUID(), ...claims };
  switch (kind) {
    case 'expired':
      return { ...base, iat: now - LIFE_SECONDS, exp: now - 60 };
    case 'without-expiry': {
      const { exp: _, ...rest } = base;
      return rest;
    }
    case 'not-yet-valid':
      return { ...base, nbf: now + 60 };
    case 'issued-in-the-future':
      return { ...base, iat: now + 60 };
    case 'huge':
      return { ...base, padding: 'x'.repeat(HUGE_CHARACTERS) };
    default:
      return base;
  }
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Signs with HMAC, which a verifier accepts if it takes the algorithm from the token. */
function hmacSigned(header: Record<string, unknown>, payload: Record<string, unknown>, secret: string): string {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}
