import { createHash } from 'node:crypto';
import type { JsonObject } from '../words/json.ts';
import type { Secret } from '../words/secret.ts';

/** How far the clocks of two instances, or of an instance and an upstream, may differ: s in the protocol. */
export const CLOCK_SKEW_MS = 5_000;

/** When a token begins, ends and should be refreshed; epoch milliseconds. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly refreshAt: number;
}

/** Values by name that a login gave beside its token, or that were made of them. */
export type KeptValues = Readonly<Record<string, string>>;

/** What the upstream issued for a slot, in the clear, with its place in the slot's history. */
export interface Token extends TokenTimes {
  readonly value: Secret<string>;
  /** What the upstream said beside the token at login; `asOf` says when (C11). */
  readonly attributes: JsonObject;
  /** What its login gave beside it that an API call needs, by name. */
  readonly values: KeptValues;
  /** Parts of the credential that go with an API call, and what renews the token; opened in `mint` and `proxy` alone. */
  readonly closed?: Secret<KeptValues>;
  readonly generation: number;
  /** SHA-256 of the token's UTF-8 bytes, lowercase hex. */
  readonly hash: string;
  /** Version of the secret that the session was begun with. */
  readonly secretVersion: string;
}

/** Reports whether a token may still be handed out with `minTtlSeconds` to go, a clock's skew taken off. */
export function isUsable(token: Pick<TokenTimes, 'expiresAt'>, now: number, minTtlSeconds: number): boolean {
  return token.expiresAt - CLOCK_SKEW_MS - now >= minTtlSeconds * 1000;
}

/** What remains of a token for a caller, in whole seconds: its `expires_in`. */
export function remainingSeconds(token: Pick<TokenTimes, 'expiresAt'>, now: number): number {
  return Math.floor((token.expiresAt - CLOCK_SKEW_MS - now) / 1000);
}

/** SHA-256 of a token's UTF-8 bytes, lowercase hex: how a caller names the token it rejects. */
export function hashOf(value: Secret<string>): string {
  return createHash('sha256').update(value.reveal(), 'utf8').digest('hex');
}

/** The first 12 hex digits of a token's hash: all that logs may know of it. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
