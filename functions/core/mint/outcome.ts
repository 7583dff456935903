import type { BackOffKind } from '../slot/back-off.ts';
import { backOffMs } from '../slot/back-off.ts';
import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { extendTtl, REFUSAL_KEPT_SECONDS } from '../slot/item-end.ts';
import type { DataKey } from '../slot/keys.ts';
import type { MintReply, MintRequest, MintSource, MintWay } from '../slot/mint-message.ts';
import { nextWay } from '../slot/next-way.ts';
import { EMPTY_RECORD, isRejected, type SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import type { Trial } from '../slot/trial.ts';
import { BrokerError, type BrokerErrorCode } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import type { Held } from './begin.ts';
import type { SecretVersion } from './secrets.ts';
import type { IssuedToken, UpstreamFailure } from './upstream.ts';

/** One attempt under a lease. */
export interface Attempt extends Held {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly trigger: MintRequest['trigger'];
  /** Set while an operator tries a login. */
  readonly onTrial?: ((trial: Trial) => void) | undefined;
  /** The version that an operator tries in place of the current one. */
  readonly candidate?: SecretVersion | undefined;
  /** Time by which it must have ended; epoch milliseconds. */
  readonly deadline: number;
}

/** A token that the upstream issued, with the keys and facts to seal it. */
export interface Minted {
  readonly source: MintSource;
  readonly issued: IssuedToken;
  readonly key: DataKey;
  /** Set if the provider keeps closed values. */
  readonly closedKey: DataKey | undefined;
  readonly secretVersion: string;
  readonly attributes: JsonObject;
  readonly sessionStartedAt: number;
}

/** Failure of an attempt. */
export interface AttemptFailure {
  readonly code: BrokerErrorCode;
  /** With `cooldown`: the failure that began it, which the slot keeps in its place. */
  readonly cause?: BrokerErrorCode;
  readonly detail: string;
  readonly backOff: BackOffKind;
  /** Part of the upstream's answer that decided it, in words. */
  readonly evidence?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Exact time to wait, in place of a back-off. */
  readonly waitMs?: number;
  /** The secret version that the upstream refused. */
  readonly refusedVersion?: string | undefined;
  /** The credential is good for others: an earlier refusal of this slot was the subject's own, as this one is. */
  readonly isOfSubject?: true;
  /** False if only the secret was checked and nothing was sent. */
  readonly countsAsTry: boolean;
}

/** Longest time between two reads of a secret that cannot be read or used, so that a repair is noticed soon. */
const SECRET_LOOK_MS = 10_000;

/** Converts a `BrokerError` thrown before anything was sent to a failure; rethrows other errors. */
export function convertError(error: unknown): AttemptFailure {
  if (!(error instanceof BrokerError)) throw error;
  const { code, detail, retryAfterMs } = error;
  return { code, detail, backOff: 'not_judged', countsAsTry: true, retryAfterMs };
}

/**
 * Ends an attempt without a token: writes the failure and its back-off, and returns the reply. If the write fails, the
 * back-off that was written with the lease holds.
 */
export async function writeFailure(
  {
    store,
    telemetry,
    clock,
    random,
  }: { readonly store: Store; readonly telemetry: Telemetry; readonly clock: Clock; readonly random: Random },
  { connection, slot, leaseId, record, way }: Attempt,
  failure: AttemptFailure,
): Promise<MintReply> {
  const { code, cause, detail, evidence, refusedVersion } = failure;
  const at = clock.now();
  const made = way === 'login' ? record.tries : (record.renewalTries ?? 0);
  const retryAfterMs = waitAfter(failure, made, random);
  const notBefore = at + retryAfterMs;
  const isRefused = refusedVersion !== undefined;
  const ttlSeconds = isRefused ? extendTtl(record.ttlSeconds, at, REFUSAL_KEPT_SECONDS) : record.ttlSeconds;
  try {
    const tries = failure.countsAsTry ? undefined : Math.max(made - 1, EMPTY_RECORD.tries);
    const forgetsRefusal = failure.isOfSubject;
    const ended = {
      leaseId,
      way,
      code: cause ?? code,
      at,
      evidence,
      notBefore,
      refusedVersion,
      tries,
      ttlSeconds,
      forgetsRefusal,
    };
    const dueAt = (seen: SlotRecord) => dueAfter(connection, seen, { way, at, notBefore, isRefused });
    const isAsRead = await store.write(slot, changes.fail({ ...ended, dueAt: dueAt(record), seen: record }));
    // A purge, or a new version of the secret, has ended the back-off that the next look rests on.
    if (!isAsRead) {
      const found = await store.read(slot, { consistent: true });
      await store.write(slot, changes.fail({ ...ended, dueAt: dueAt(found ?? EMPTY_RECORD) }));
    }
  } catch {
    telemetry.warn('A failed attempt could not be written down; the back-off of its lease holds.', {
      connection: connection.name,
      code,
    });
  }
  telemetry.metrics({ connection: connection.name, code }, { BackOffs: { unit: 'Count', value: 1 } });
  // A refused credential is no failure of the upstream, and it is reported again at each check that sends nothing.
  const watched = watchedMetric(code);
  if (watched !== undefined)
    telemetry.metrics({ connection: connection.name }, { [watched]: { unit: 'Count', value: 1 } });
  telemetry.warn('An attempt to get a token failed.', {
    connection: connection.name,
    subject: slot.subject,
    code,
    ...(way === 'renewal' && { way }),
    ...(evidence !== undefined && { evidence }),
    retryAfterMs,
  });
  return { outcome: 'failed', ...(way === 'renewal' && { way }), code, cause, detail, retryAfterMs };
}

/**
 * Returns when the schedule should look at a slot after a failure: at the next moment with a way to a token; while it
 * has one that is not due, no later than that. A refused slot without one leaves the schedule.
 */
function dueAfter(
  connection: Connection,
  record: SlotRecord,
  {
    way,
    at,
    notBefore,
    isRefused,
  }: { readonly way: MintWay; readonly at: number; readonly notBefore: number; readonly isRefused: boolean },
): number | undefined {
  const refreshAt = isRejected(record) ? 0 : (record.token?.refreshAt ?? 0);
  if (at < refreshAt) return isRefused ? refreshAt : Math.min(notBefore, refreshAt);
  if (isRefused) return undefined;
  const after = way === 'login' ? { ...record, notBefore } : { ...record, renewalNotBefore: notBefore };
  const next = nextWay(connection, after, at);
  return next.way === 'none' ? next.until : at;
}

/** Converts the upstream's failure to that of an attempt. */
export function convertUpstreamFailure(outcome: UpstreamFailure): AttemptFailure {
  const { code, detail, backOff, evidence, retryAfterMs, isKnown } = outcome;
  return { code, detail, backOff, evidence, countsAsTry: isKnown !== true, retryAfterMs };
}

function waitAfter(failure: AttemptFailure, tries: number, random: Random): number {
  const { code, backOff, retryAfterMs } = failure;
  if (failure.waitMs !== undefined) return failure.waitMs;
  const waitMs = backOffMs(backOff, tries, random, retryAfterMs);
  const isAboutSecret = code === 'secret_unavailable' || code === 'secret_invalid';
  return isAboutSecret ? Math.min(waitMs, SECRET_LOOK_MS) : waitMs;
}

/** Names the metric of an alarm that a failure counts for, if any. */
function watchedMetric(code: BrokerErrorCode): string | undefined {
  if (code === 'upstream_credential_rejected') return 'CredentialRefused';
  if (code === 'reauthorization_required') return 'ReauthorizationRequired';
  return code.startsWith('upstream_') ? 'UpstreamFailures' : undefined;
}
