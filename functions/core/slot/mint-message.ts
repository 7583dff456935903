import type { BrokerErrorCode } from '../words/errors.ts';

/**
 * What `mint` is asked: by a caller's function with a lease it has taken, or by a reader or the schedule to see for
 * itself whether the slot wants minting. JSON over Lambda Invoke.
 */
export interface MintRequest {
  readonly connection: string;
  readonly subject: string;
  readonly fingerprint: string;
  readonly trigger: 'caller' | 'reader' | 'schedule';
  /** With trigger `caller`: the lease to mint under, and when it was taken (epoch milliseconds). */
  readonly lease?: { readonly id: string; readonly takenAt: number };
}

/** How a token was got: with the credential, with the token before it, or with a refresh token (RFC 6749 §6). */
export type MintSource = 'login' | 'slide' | 'refresh';

/** What `mint` answers. Never a token: the asker reads it from the store. */
export type MintReply =
  | { readonly outcome: 'published'; readonly generation: number; readonly source: MintSource }
  | {
      readonly outcome: 'failed';
      readonly code: BrokerErrorCode;
      readonly detail: string;
      readonly retryAfterMs?: number | undefined;
    }
  /** Another invocation has begun under this lease, or it is too late to begin. */
  | { readonly outcome: 'busy' }
  /** The slot moved on in mid-flight (a DELETE, or another holder); what was minted is discarded. */
  | { readonly outcome: 'superseded' }
  /** Nothing to do. */
  | { readonly outcome: 'idle' | 'current' | 'waiting' };
