import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { CLOCK_SKEW_MS } from '../core/slot/token.ts';
import type { Clock } from '../core/words/platform.ts';
import type { Secret } from '../core/words/secret.ts';
import { ExchangeError } from './exchange-error.ts';
import type { IssuerKeySet, IssuerKeys, KeySource } from './issuer-key-source.ts';

/** Signatures with an issuer's private key alone: `none` and the HMACs, which a public key would satisfy, are not here. */
const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Longer subjects are refused before any pattern sees them. */
const LONGEST_SUBJECT = 1_024;
const SKEW_SECONDS = CLOCK_SKEW_MS / 1000;

/** Who a verified JWT speaks for. */
export interface Workload {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Every claim, as it was signed. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a token says of itself, before anything of it is believed. */
export interface Unverified {
  readonly issuer: string;
  readonly keyId: string | undefined;
}

/**
 * Reads who is said to have issued a token and under which key. Throws `invalid_request` for what is no signed JWT
 * under an asymmetric algorithm, so that nothing is fetched for it.
 */
export function unverifiedOf(token: Secret<string>): Unverified {
  const { alg, kid, iss } = decoded(token);
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg)) {
    throw refusal(`is not signed with one of ${ALGORITHMS.join(', ')}`);
  }
  if (kid !== undefined && typeof kid !== 'string') throw refusal('has a kid that is not a text');
  if (typeof iss !== 'string') throw refusal('has no issuer (iss)');
  return { issuer: iss, keyId: kid };
}

function decoded(token: Secret<string>): { alg?: unknown; kid?: unknown; iss?: unknown } {
  try {
    const { alg, kid } = decodeProtectedHeader(token.reveal());
    return { alg, kid, iss: decodeJwt(token.reveal()).iss };
  } catch {
    throw refusal('is no JWT');
  }
}

export type WorkloadVerifier = (token: Secret<string>, source: KeySource) => Promise<Workload>;

/**
 * Creates the check of workloads' JWTs: signature by a key of the issuer, exact issuer, `exp` ahead, `nbf` and `iat`
 * not ahead, 5 s of skew allowed, subject and audience there. Throws `invalid_request` saying what is wrong, and
 * `temporarily_unavailable` where the issuer's keys cannot be had.
 */
export function createWorkloadVerifier({
  keys,
  clock,
}: {
  readonly keys: IssuerKeys;
  readonly clock: Pick<Clock, 'now'>;
}): WorkloadVerifier {
  // Importing keys is the dear part, and a set stays the same object until it is fetched again.
  const resolvers = new WeakMap<IssuerKeySet, ReturnType<typeof createLocalJWKSet>>();

  function resolverOf(set: IssuerKeySet): ReturnType<typeof createLocalJWKSet> {
    const known = resolvers.get(set);
    if (known !== undefined) return known;
    // The library checks each key before it uses it, so what the issuer sent may be handed on as it is.
    const made = createLocalJWKSet({ keys: [...set.keys] });
    resolvers.set(set, made);
    return made;
  }

  async function verified(token: Secret<string>, set: IssuerKeySet, issuer: string, now: number): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token.reveal(), resolverOf(set), {
        algorithms: [...ALGORITHMS],
        issuer,
        requiredClaims: ['exp', 'sub', 'aud'],
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(now),
      });
      return payload;
    } catch (error) {
      throw refusal(reasonOf(error));
    }
  }

  return async (token, source) => {
    const { keyId } = unverifiedOf(token);
    const found = await keys.keysOf(source, keyId);
    if ('unavailable' in found) {
      throw new ExchangeError('temporarily_unavailable', "The keys of the subject token's issuer cannot be fetched.", {
        retryAfterMs: found.retryAfterMs,
      });
    }
    const now = clock.now();
    const payload = await verified(token, found, source.issuer, now);
    return workloadOf(payload, source.issuer, now);
  };
}

function workloadOf(payload: JWTPayload, issuer: string, now: number): Workload {
  const { sub, aud, iat } = payload;
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT) {
    throw refusal(`needs a subject (sub) of 1 to ${LONGEST_SUBJECT} characters`);
  }
  if (iat !== undefined && !(typeof iat === 'number' && iat <= now / 1000 + SKEW_SECONDS)) {
    throw refusal('says that it was issued in the future, or at no time');
  }
  const listed: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const audiences = listed.filter((each) => typeof each === 'string');
  return { issuer, subject: sub, audiences, claims: payload };
}

function refusal(what: string): ExchangeError {
  return new ExchangeError('invalid_request', `The subject token ${what}.`);
}

/** By the kind of error alone: the library's messages may quote the token. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'has expired';
  if (error instanceof errors.JWKSNoMatchingKey) return 'names a key that its issuer does not publish';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'names no key (kid), and its issuer has several';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'has a signature that does not verify';
  if (error instanceof errors.JWTClaimValidationFailed) return `has no usable claim ${namedClaim(error.claim)}`;
  return 'is no JWT that its issuer signed';
}

/** Claims that the verification itself looks at; their names are its own and nobody else's text. */
function namedClaim(claim: string): string {
  return ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat'].includes(claim) ? claim : 'that is needed';
}
