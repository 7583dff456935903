import { hash } from 'node:crypto';
import type { JsonObject } from '../words/json.ts';
import type { Secret } from '../words/secret.ts';

/** Most that the clocks of two instances, or of an instance and an upstream, may differ: s in the protocol. */
export const CLOCK_SKEW_MS = 5_000;

/** Times at which a token begins, ends and should be refreshed; epoch milliseconds. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly refreshAt: number;
}

/** Values that a login gave beside its token, or that were derived from them, by name. */
export type KeptValues = Readonly<Record<string, string>>;

/** Token of a slot in the clear, with its place in the slot's history. */
export interface Token extends TokenTimes {
  readonly value: Secret<string>;
  /** Facts that the upstream gave beside the token at login; `asOf` says when (C11). */
  readonly attributes: JsonObject;
  /** Values from its login that an API call needs, by name. */
  readonly values: KeptValues;
  /** Values that only `mint` and `proxy` open: parts of the credential for API calls, and the refresh token. */
  readonly closed?: Secret<KeptValues>;
  readonly generation: number;
  /** SHA-256 of the token's UTF-8 bytes, lowercase hex. */
  readonly hash: string;
  /** Version of the secret that the session was begun with. */
  readonly secretVersion: string;
}

/** Reports whether a token, less the clock skew, has at least `minTtlSeconds` left and may be handed out. */
export function isUsable(token: Pick<TokenTimes, 'expiresAt'>, now: number, minTtlSeconds: number): boolean {
  return token.expiresAt - CLOCK_SKEW_MS - now >= minTtlSeconds * 1000;
}

/** Time after the end of a token at which an upstream that issues the same until then issues another. */
const AFTER_THE_END_MS = 1_000;

/** Returns the time at which a token is refreshed that the upstream issues again until it ends: right after that. */
export function refreshAtOfReissued(expiresAt: number): number {
  return expiresAt + AFTER_THE_END_MS;
}

/** Returns the rest of a token's life for a caller, in whole seconds: its `expires_in`. */
export function remainingSeconds(token: Pick<TokenTimes, 'expiresAt'>, now: number): number {
  return Math.floor((token.expiresAt - CLOCK_SKEW_MS - now) / 1000);
}

/** Returns the SHA-256 of a token's UTF-8 bytes, lowercase hex. Callers name a rejected token by it. */
export function hashOf(value: Secret<string>): string {
  return hash('sha256', value.reveal());
}

/** Returns the first 12 hex digits of a token's hash: logs show no more of a token. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
