import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { CLOCK_SKEW_MS } from '../core/slot/token.ts';
import type { Clock } from '../core/words/platform.ts';
import type { Secret } from '../core/words/secret.ts';
import { ExchangeError, NOT_ACCEPTED } from './exchange-error.ts';
import type { IssuerKeys, KeySource } from './issuer-keys.ts';

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

/** Types of a JWT that says who somebody is (RFC 7519 §5.1, RFC 9068 §2.1). A logout or an event says something else. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'jose', 'at+jwt']);
/** Longest subject in characters. A longer one is refused before any glob is tried. */
const LONGEST_SUBJECT = 1_024;
const SKEW_SECONDS = CLOCK_SKEW_MS / 1000;

/** The workload that a verified JWT identifies. */
export interface Workload {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Every claim, as it was signed. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Reads who is said to have issued a token, before anything of it is believed. Throws `invalid_request` for no JWT. */
export function readUnverifiedIssuer(token: Secret<string>): string {
  const issuer = decodeIssuer(token);
  if (typeof issuer !== 'string') throw refusal('has no issuer (iss)');
  return issuer;
}

function decodeIssuer(token: Secret<string>): unknown {
  try {
    return decodeJwt(token.reveal()).iss;
  } catch {
    throw refusal('is no JWT');
  }
}

/** Verifies a JWT with the keys of one source; throws an `ExchangeError` for one that does not hold. */
export type WorkloadVerifier = (token: Secret<string>, source: KeySource) => Promise<Workload>;

/**
 * Creates the check of workloads' JWTs: signature by a key of the issuer, exact issuer, `exp` ahead, `nbf` and `iat`
 * not ahead, 5 s of skew allowed, subject and audience there, a type that identifies. Throws `invalid_request`, and
 * `temporarily_unavailable` where the issuer's keys cannot be had or may be behind. No key is asked for where the algorithm is wrong.
 */
export function createWorkloadVerifier({
  keys,
  clock,
}: {
  readonly keys: IssuerKeys;
  readonly clock: Pick<Clock, 'now'>;
}): WorkloadVerifier {
  return async (token, source) => {
    const now = clock.now();
    const set = keys(source);
    const check = () =>
      jwtVerify(token.reveal(), set.find, {
        algorithms: [...ALGORITHMS],
        issuer: source.issuer,
        requiredClaims: ['exp', 'sub', 'aud'],
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(now),
      });
    try {
      const { payload, protectedHeader } = await check().catch(async (error: unknown) => {
        // The issuer may have another key under the same id, or without one.
        if (!(error instanceof errors.JWSSignatureVerificationFailed) || !(await set.renew())) throw error;
        return check();
      });
      return readIdentity(protectedHeader, payload, source.issuer, now);
    } catch (error) {
      throw error instanceof ExchangeError ? error : refusal(describeError(error));
    }
  };
}

/** Reads the workload that a JWT identifies. Throws `invalid_request` for one that says something else, or not enough. */
export function readIdentity(
  { typ }: { readonly typ?: string },
  payload: JWTPayload,
  issuer: string,
  now: number,
): Workload {
  requireIdentityType(typ, payload);
  const { sub, aud, iat, exp, nbf } = payload;
  if ([iat, exp, nbf].some((time) => time !== undefined && !Number.isFinite(time))) {
    throw refusal('has a time that is no finite number');
  }
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

function requireIdentityType(typ: string | undefined, payload: JWTPayload): void {
  const type = (typ ?? 'jwt').toLowerCase().replace(/^application\//, '');
  if (!TYPES.has(type)) throw refusal('is of a type that says nothing of who somebody is');
  if ('events' in payload) throw refusal('reports an event (RFC 8417 §2.2)');
}

function refusal(what: string): ExchangeError {
  return new ExchangeError('invalid_request', NOT_ACCEPTED, { reason: `The subject token ${what}.` });
}

/** Describes an error by its kind alone: the library's messages may quote the token. */
function describeError(error: unknown): string {
  if (error instanceof errors.JOSEAlgNotAllowed) return `is not signed with one of ${ALGORITHMS.join(', ')}`;
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
