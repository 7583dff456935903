import type { Connection } from './connection.ts';
import type { IssuedLife, UpstreamFailure } from './ports.ts';
import type { Secret } from './secret.ts';
import type { Slot } from './slot.ts';
import type { SealedToken, SlotRecord } from './slot-record.ts';

/** What a caller wants of the upstream: already checked, and without anything that says who calls. */
export interface ForwardedRequest {
  readonly method: string;
  /** Begins with a slash; percent-encoded as it is to be sent, behind the connection's base URL. */
  readonly path: string;
  /** As the caller sent it, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What the upstream answered, without any header that holds a token. */
export interface ForwardedAnswer {
  readonly status: number;
  /** Every value, by lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array;
}

export type ForwardOutcome =
  | {
      readonly kind: 'answer';
      readonly answer: ForwardedAnswer;
      /** The token that the answer renewed (C15). */
      readonly slid?: { readonly value: Secret<string>; readonly life: IssuedLife };
      /** When the request was sent; epoch milliseconds. */
      readonly requestStartedAt: number;
    }
  | UpstreamFailure;

/** One proxied request: the token is placed, nothing is retried, no redirect is followed. */
export interface Forwarder {
  forward(call: {
    readonly connection: Connection;
    readonly token: Secret<string>;
    readonly request: ForwardedRequest;
    readonly timeoutMs: number;
  }): Promise<ForwardOutcome>;
}

/** What the proxy writes of a slot beyond what every function does. Throws `store_unavailable`. */
export interface ProxyStore {
  /** Puts a slid token in place as the next generation, if the one used is current and no lease is live. */
  adopt(slide: {
    readonly slot: Slot;
    readonly seenGeneration: number;
    /** Hash of the token that the call was made with. */
    readonly usedHash: string;
    readonly token: SealedToken;
    readonly dueAt: number;
    readonly ttlSeconds: number;
    readonly now: number;
  }): Promise<boolean>;
  /** Keeps callers' word from renewing this slot until then (H17). */
  barRenewal(bar: { readonly slot: Slot; readonly generation: number; readonly until: number }): Promise<boolean>;
  /**
   * Takes the lease for the time of one call, if no other is live and the generation is the one seen. Unlike a claim
   * to mint it counts as no try and minds no back-off: the token is good.
   */
  beginCall(claim: {
    readonly slot: Slot;
    readonly leaseId: string;
    readonly now: number;
    readonly leaseUntil: number;
    /** The item's new end; epoch seconds. */
    readonly ttlSeconds: number;
    readonly seen: SlotRecord;
  }): Promise<boolean>;
}
