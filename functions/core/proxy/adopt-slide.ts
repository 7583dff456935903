import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { publishedTtlSeconds } from '../slot/item-end.ts';
import type { Keys } from '../slot/keys.ts';
import { timesOf, warnOfToken } from '../slot/lifetime.ts';
import { liveLease, type SealedToken, type SlotRecord } from '../slot/record.ts';
import { sealNext } from '../slot/seal.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { isUsable, shortHash, type Token } from '../slot/token.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import type { ForwardOutcome } from './forwarder.ts';

/** An answer of the upstream, as opposed to a failure to get one. */
export type Answered = Extract<ForwardOutcome, { kind: 'answer' }>;
type Slid = NonNullable<Answered['slid']>;

export interface SlideDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: string;
}

/**
 * Takes up a token that a proxied answer renewed, if it is worth a write: only past `refreshAt`, only if the token used
 * is still current and nobody holds the lease, and not past the session's longest age (C20). Otherwise the slide is
 * dropped. Never throws, since the caller has its answer.
 */
export async function adoptSlide(
  dependencies: SlideDependencies,
  { connection, slot }: { readonly connection: Connection; readonly slot: Slot },
  used: Token,
  { slid, requestStartedAt }: Answered,
): Promise<void> {
  const { store, telemetry, clock } = dependencies;
  const now = clock.now();
  if (slid === undefined || now < used.refreshAt) return;
  try {
    const record = await store.read(slot, { consistent: true });
    if (record?.generation !== used.generation || liveLease(record, now) !== undefined) return;
    const token = await sealSlide(dependencies, { connection, slot, record, used }, slid, requestStartedAt);
    if (token === undefined) return;
    const ttlSeconds = publishedTtlSeconds(token, record.refusedVersion, record.ttlSeconds);
    const { generation: seenGeneration, hash: usedHash } = used;
    const adoption = { seenGeneration, usedHash, token, dueAt: token.refreshAt, ttlSeconds, now };
    if (!(await store.write(slot, changes.adopt(adoption)))) return;
    telemetry.metrics(
      { connection: connection.name },
      { SlideLatency: { unit: 'Milliseconds', value: now - requestStartedAt } },
      { isShared: true },
    );
    telemetry.info('A slid token was taken up.', {
      connection: connection.name,
      subject: slot.subject,
      generation: seenGeneration + 1,
      tokenHash: shortHash(token.hash),
    });
  } catch {
    telemetry.warn('A slid token could not be taken up; the current one stays.', { connection: connection.name });
  }
}

/**
 * Seals a slid token as the next generation under the slot's current data key with a new nonce, so that the function
 * needs no right to make data keys. Returns undefined if the session is too old, the token too short, or the key gone.
 */
export async function sealSlide(
  {
    keys,
    random,
    broker,
    clock,
    telemetry,
  }: Pick<SlideDependencies, 'keys' | 'random' | 'broker' | 'clock' | 'telemetry'>,
  {
    connection,
    slot,
    record,
    used,
  }: { readonly connection: Connection; readonly slot: Slot; readonly record: SlotRecord; readonly used: Token },
  slid: Slid,
  requestStartedAt: number,
): Promise<SealedToken | undefined> {
  const current = record.token;
  if (current === undefined) return undefined;
  const sessionEndsAt = current.sessionStartedAt + (connection.maxSessionSeconds ?? 0) * 1000;
  const times = timesOf({ life: slid.life, requestStartedAt }, connection, slot);
  if (clock.now() >= sessionEndsAt || !isUsable(times, clock.now(), connection.minTtlSeconds)) return undefined;
  const plaintext = await keys.decrypt(slot.connection, current.dataKey);
  if (plaintext === undefined) return undefined;

  const { value } = slid;
  const { secretVersion, attributes, values } = used;
  const { sessionStartedAt, closedCiphertext, closedDataKey } = current;
  const key = { plaintext, encrypted: current.dataKey };
  const kept = { attributes, values, secretVersion, sessionStartedAt, closedCiphertext, closedDataKey };
  const warning = warnOfToken(telemetry, connection, { ...slid, requestStartedAt });
  const token = { ...times, ...kept, value, key, warning };
  return sealNext({ broker, random }, slot, record, token);
}
