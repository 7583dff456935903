import type { BrokerErrorCode } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';

/** Way to a slot's next token: with the credential, or with what an earlier login gave. Each has its own back-off. */
export type MintWay = 'login' | 'renewal';

/**
 * Request to `mint`, as JSON over Lambda Invoke. A caller's function sends it with a lease that it has taken. A reader
 * or the schedule sends it without one, and `mint` checks whether the slot needs a new token. An operator's try has a
 * lease too, and logs in whatever token the slot has; with `candidate` by the candidate of the secret.
 */
export interface MintRequest {
  readonly connection: string;
  readonly subject: string;
  readonly fingerprint: string;
  readonly trigger: 'caller' | 'reader' | 'schedule' | 'operator';
  /** For an operator, under a borrowed lease: to try the candidate, and make it current if the upstream takes it. */
  readonly candidate?: true;
  /** For a caller or an operator: the lease to mint under, taken at `takenAt` (epoch ms) for `way`, else a login. */
  readonly lease?: { readonly id: string; readonly takenAt: number; readonly way?: MintWay | undefined };
}

/** A purged token, sealed as its item had it, in base64 where it was bytes. */
export interface PurgedToken {
  readonly generation: number;
  readonly ciphertext: string;
  readonly dataKey: string;
  readonly closedCiphertext?: string;
  readonly closedDataKey?: string;
  readonly issuedAt: number;
  readonly usableUntil: number;
  readonly refreshAt: number;
  readonly sessionStartedAt: number;
  readonly secretVersion: string;
  readonly hash: string;
}

/** Request to `mint` to end a token at its upstream that an operator has purged. Nobody waits for it. */
export interface LogoutRequest {
  readonly connection: string;
  readonly subject: string;
  readonly fingerprint: string;
  readonly trigger: 'purge';
  readonly purged: PurgedToken;
}

/** Way in which a token was got: with the credential, the token before it, or a refresh token (RFC 6749 §6). */
export type MintSource = 'login' | 'slide' | 'refresh';

/** Reply of `mint`. Never a token: the asker reads it from the store. */
export type MintReply = MintOutcome & {
  /** The `Trial` of a login that an operator tries. */
  readonly trial?: JsonObject;
  /** The candidate that was read, and whether it is current now. */
  readonly candidate?: { readonly versionId: string; readonly isCurrent: boolean };
};

export type MintOutcome =
  | { readonly outcome: 'published'; readonly generation: number; readonly source: MintSource }
  | {
      readonly outcome: 'failed';
      /** Way that failed, if an attempt was made. */
      readonly way?: MintWay | undefined;
      readonly code: BrokerErrorCode;
      /** With `cooldown`: the failure that began it. */
      readonly cause?: BrokerErrorCode | undefined;
      readonly detail: string;
      readonly retryAfterMs?: number | undefined;
    }
  /** Another invocation has begun under this lease, or it is too late to begin. */
  | { readonly outcome: 'busy' }
  /** The slot changed during the attempt (a DELETE, or another holder); the new token is discarded. */
  | { readonly outcome: 'superseded' }
  /** Nothing to do. Of a candidate `current`: it is that already, so it is tried as any login. */
  | { readonly outcome: 'idle' | 'current' | 'waiting' };
