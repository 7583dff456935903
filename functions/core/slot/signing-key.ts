import type { SigningAlgorithm } from './provider.ts';

/** The private key that an algorithm signs by, in the words of node:crypto. */
export interface SigningKeyForm {
  readonly type: 'rsa' | 'ec' | 'ed25519';
  /** Curve of an EC key. */
  readonly curve?: string;
  /** Least length of an RSA key. */
  readonly bits?: number;
  /** After "takes": "an RSA key". */
  readonly words: string;
}

const RSA = { type: 'rsa', bits: 2048, words: 'an RSA key' } as const;

/** The key that an algorithm takes (RFC 7518 §3, RFC 8037 §3.1); undefined for one with a shared secret. */
export function signingKeyFor(alg: SigningAlgorithm): SigningKeyForm | undefined {
  switch (alg) {
    case 'HS256':
    case 'HS384':
    case 'HS512':
      return undefined;
    case 'ES256':
      return { type: 'ec', curve: 'prime256v1', words: 'an EC key on the curve P-256' };
    case 'ES384':
      return { type: 'ec', curve: 'secp384r1', words: 'an EC key on the curve P-384' };
    case 'ES512':
      return { type: 'ec', curve: 'secp521r1', words: 'an EC key on the curve P-521' };
    case 'EdDSA':
      return { type: 'ed25519', words: 'an Ed25519 key' };
    default:
      return RSA;
  }
}
