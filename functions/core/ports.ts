import type { Connection } from './connection.ts';
import type { BrokerErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { MintReply, MintRequest } from './mint-message.ts';
import type { Secret } from './secret.ts';
import type { Slot } from './slot.ts';
import type { SealedToken, SlotRecord } from './slot-record.ts';

/** Time. `now` is wall clock in epoch milliseconds, for freshness; `monotonic` in milliseconds, for deadlines only. */
export interface Clock {
  now(): number;
  monotonic(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface Random {
  uuid(): string;
  /** A number in [0, 1). */
  fraction(): number;
  bytes(length: number): Uint8Array;
}

/**
 * Slots and refusals, one item each, changed by single-item conditional writes only. A write answers whether its
 * condition held; what happened otherwise the caller finds out by a consistent read. Since a write whose reply was
 * lost may be sent again, `false` can follow a success of one's own.
 * Every method throws `store_unavailable` when the store cannot be reached or throttles.
 */
export interface Store {
  read(slot: Slot, options: { readonly consistent: boolean }): Promise<SlotRecord | undefined>;
  /**
   * Takes the lease, counts the try and writes the back-off that holds should the holder never come back; if
   * token, rejection and lease are as seen, no other lease came between (`fence`), and no back-off is ahead. The token is compared by generation and hash: an
   * item that expired and came back counts its generations anew.
   */
  acquire(claim: Claim): Promise<boolean>;
  /** Marks the lease as begun by one `mint` invocation; the record after it, or undefined where the condition failed. */
  begin(start: {
    readonly slot: Slot;
    readonly leaseId: string;
    readonly begunBy: string;
  }): Promise<SlotRecord | undefined>;
  /** Puts the next generation in place and clears lease, failure, refusal and rejection, if the lease is held and no generation came between. */
  publish(publication: Publication): Promise<boolean>;
  /** Ends a held lease with a failure. */
  fail(failure: FailedAttempt): Promise<boolean>;
  /** Ends a held lease and nothing else. */
  release(held: { readonly slot: Slot; readonly leaseId: string }): Promise<boolean>;
  /** Notes that a refresh was asked for, if nobody did since `notSince`. */
  askRefresh(ask: {
    readonly slot: Slot;
    readonly generation: number;
    readonly now: number;
    readonly notSince: number;
  }): Promise<boolean>;
  /** Notes a hand-out, if the item exists and none was noted since `notSince`; sets `dueAt` where one is given. */
  recordUse(use: {
    readonly slot: Slot;
    readonly now: number;
    readonly notSince: number;
    readonly dueAt?: number;
  }): Promise<boolean>;
  /** Notes that the token of `generation` was reported dead, if it, by its hash too, is still current. */
  markRejected(report: { readonly slot: Slot; readonly generation: number; readonly hash: string }): Promise<boolean>;
  /** Takes the slot off the schedule (`dueAt` undefined) or moves it, if generation and use are as seen. */
  reschedule(change: {
    readonly slot: Slot;
    readonly generation: number;
    readonly lastHandedOutAt: number;
    readonly dueAt?: number;
  }): Promise<boolean>;
  /** Drops token, failure and rejection and advances the generation, if the item exists; never touches a lease. */
  purge(purge: { readonly slot: Slot; readonly ttlSeconds: number }): Promise<boolean>;
  /** Ends a back-off and keeps the refusal; puts the slot on the schedule where `dueAt` is given. */
  endBackOff(change: { readonly slot: Slot; readonly dueAt?: number }): Promise<boolean>;
  /** The slots of a connection, by subject; every fingerprint. `next` continues the listing. */
  list(query: { readonly connection: string; readonly limit: number; readonly after?: string }): Promise<{
    readonly slots: readonly { readonly slot: Slot; readonly record: SlotRecord }[];
    readonly next?: string;
  }>;
  /** Up to `limit` slots of every connection whose `dueAt` has come, longest overdue first. */
  due(query: { readonly now: number; readonly limit: number }): Promise<readonly DueSlot[]>;
  refusals(connection: string): Promise<Refusals | undefined>;
  /** Adds a slot to those refused under a secret version; a new version starts the count afresh. */
  recordRefusal(refusal: {
    readonly slot: Slot;
    readonly secretVersion: string;
    readonly ttlSeconds: number;
  }): Promise<void>;
  clearRefusals(connection: string): Promise<void>;
}

export interface Claim {
  readonly slot: Slot;
  readonly leaseId: string;
  readonly now: number;
  readonly leaseUntil: number;
  readonly notBefore: number;
  readonly ttlSeconds: number;
  /** The record that the claim rests on; undefined where there was no item. */
  readonly seen: SlotRecord | undefined;
}

export interface Publication {
  readonly slot: Slot;
  readonly leaseId: string;
  /** The generation that was current when the lease was taken; the new one follows it. */
  readonly seenGeneration: number;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  /** Where a caller is waiting for this very token. */
  readonly lastHandedOutAt?: number;
  /** The secret version that stays refused: a slide proves nothing about the credential. */
  readonly refusedVersion?: string;
}

export interface FailedAttempt {
  readonly slot: Slot;
  readonly leaseId: string;
  readonly code: BrokerErrorCode;
  readonly at: number;
  readonly notBefore: number;
  /** When the schedule tries again; undefined takes the slot off the schedule. */
  readonly dueAt?: number;
  readonly refusedVersion?: string;
  /** The count of tries to go back to, where this one is not to count. */
  readonly tries?: number;
  readonly ttlSeconds: number;
}

export interface DueSlot {
  readonly slot: Slot;
  readonly dueAt: number;
}

/** The slots of a connection refused under one secret version with no success between. */
export interface Refusals {
  readonly secretVersion: string;
  readonly slots: number;
}

/** A data key: for the cipher in the clear, and as KMS encrypted it. */
export interface DataKey {
  readonly plaintext: Secret<Uint8Array>;
  readonly encrypted: Uint8Array;
}

/** KMS data keys under the encryption context {broker, connection, subject}. Throws `kms_unavailable`. */
export interface Keys {
  generate(slot: Slot): Promise<DataKey>;
  /** The clear key, or undefined where it was not encrypted under this key for this slot. */
  decrypt(slot: Slot, encrypted: Uint8Array): Promise<Secret<Uint8Array> | undefined>;
}

/** The current version of a secret; `value` is the raw secret string. */
export interface SecretVersion {
  readonly versionId: string;
  readonly value: Secret<string>;
}

export interface Secrets {
  /**
   * The current version. A copy kept from before serves if it is younger than `maxAgeMs`, or is of `knownVersion`
   * and at most a minute old. Throws `secret_unavailable`.
   */
  current(request: {
    readonly secret: string;
    readonly maxAgeMs: number;
    readonly knownVersion?: string;
  }): Promise<SecretVersion>;
}

/** How a back-off grows after a failure. See `backOffMs`. */
export type BackOffKind = 'not_judged' | 'unknown' | 'ambiguous_login' | 'locked' | 'refused';

/** What the upstream's answer says of a new token's end; the core turns it into times. Epoch milliseconds. */
export interface IssuedLife {
  /** The `exp` that the token carries (H12). */
  readonly exp?: number;
  /** The `Date` of the answer (H14). */
  readonly serverDate?: number;
  /** A life fixed by configuration, in seconds (C17). */
  readonly seconds?: number;
}

export type UpstreamOutcome =
  | {
      readonly kind: 'token';
      readonly value: Secret<string>;
      readonly life: IssuedLife;
      /** When the request was sent; epoch milliseconds. */
      readonly requestStartedAt: number;
      /** Present after a login. */
      readonly attributes?: JsonObject;
      /** See `UpstreamFailure`. */
      readonly warning?: string;
    }
  | UpstreamFailure;

export interface UpstreamFailure {
  readonly kind: 'failure';
  readonly code: BrokerErrorCode;
  readonly backOff: BackOffKind;
  /** For the caller: what happened and what to do; free of credentials, tokens and bodies. */
  readonly detail: string;
  readonly retryAfterMs?: number;
  /** For the operator's log, never for callers: something about the credential that this upstream may not bear with. */
  readonly warning?: string;
  /** With a slide: the upstream said 401 to the current token (C19). */
  readonly unauthorized?: boolean;
}

/** A provider at work: one attempt against the upstream, never more than one request, failures as values. */
export interface Upstream {
  login(attempt: {
    readonly connection: Connection;
    readonly subject: string;
    readonly secret: Secret<string>;
    readonly timeoutMs: number;
  }): Promise<UpstreamOutcome>;
  /** Reports whether this connection can slide at all. */
  canSlide(connection: Connection): boolean;
  slide(attempt: {
    readonly connection: Connection;
    readonly subject: string;
    readonly token: Secret<string>;
    readonly timeoutMs: number;
  }): Promise<UpstreamOutcome>;
}

/** What became of an invocation of `mint`: its reply, or why there is none. */
export type MintInvocation =
  | { readonly kind: 'reply'; readonly reply: MintReply }
  /** Throttled, or could not connect: `mint` has not run. */
  | { readonly kind: 'refused' }
  /** Sent, and no answer in time. */
  | { readonly kind: 'unanswered' }
  /** `mint` itself failed. */
  | { readonly kind: 'function_error' };

/** The `mint` functions. Invoked once, without retries. */
export interface MintInvoker {
  invoke(connection: Connection, request: MintRequest, timeoutMs: number): Promise<MintInvocation>;
  /** Asks without waiting for the result; never throws. */
  ask(connection: Connection, request: MintRequest): Promise<void>;
}

/** Who got which token, from where: written before the answer. */
export interface HandOutRecord {
  readonly caller: string;
  readonly connection: string;
  readonly subject: string;
  readonly tokenHash: string;
  readonly generation: number;
  readonly secretVersion: string;
  readonly source: HandOutSource;
  /** How the caller came by it, where not by a hand-out of its own. */
  readonly via?: HandOutRoute;
  readonly requestId: string;
  readonly at: number;
}

/** `proxy`: placed in a proxied call, never seen by the caller. `exchange`: for a federated workload. */
export type HandOutRoute = 'proxy' | 'exchange';

export type HandOutSource = 'cache' | 'login' | 'slide';

/** Where hand-outs are recorded. Throws `audit_unavailable`: then no token is handed out. */
export interface Audit {
  handOut(record: HandOutRecord): Promise<void> | void;
}

export interface MetricValue {
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds';
  readonly value: number;
}

/** What operators watch. Never throws; names and dimensions only, no values of slots' contents. */
export interface Telemetry {
  metrics(dimensions: Readonly<Record<string, string>>, values: Readonly<Record<string, MetricValue>>): void;
  /** Something an operator should look at; fields hold no credential, token or upstream body. */
  warn(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  info(message: string, fields: Readonly<Record<string, string | number | boolean>>): void;
}
