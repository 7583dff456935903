import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { nextWay } from '../slot/next-way.ts';
import { liveLease, type SealedToken, type SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock } from '../words/platform.ts';
import type { HandOutRoute } from './audit.ts';

/** Shortest time between two requests for a refresh of a slot, however many callers see that it is due. */
const ASK_INTERVAL_MS = 30_000;
/** Share of the idle window in which a hand-out is noted at most once: precise enough, and cheap. */
const USE_NOTED_SHARE = 0.1;
/** Time past `refreshAt` for which a proxied call may slide the token before a refresh is asked for. */
const PROXIED_GRACE_MS = 30_000;

export interface Use {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly record: SlotRecord & { readonly token: SealedToken };
  readonly now: number;
  readonly via: HandOutRoute | undefined;
}

/**
 * Notes after a hand-out from the store that the slot is in use, so that the schedule keeps it fresh, and asks for one
 * refresh once past `refreshAt`. An outage of the store fails neither, since the token in hand is good.
 */
export async function noteUse(
  ports: { readonly store: Store; readonly minter: MintInvoker; readonly clock: Clock },
  use: Use,
): Promise<void> {
  await Promise.all([tolerateOutage(recordUse(ports.store, use)), tolerateOutage(askRefresh(ports, use))]);
}

/** Notes that a slot is in use, unless that was noted lately. Throws `store_unavailable`. */
export async function recordUse(store: Store, { connection, slot, record, now }: Omit<Use, 'via'>): Promise<void> {
  const notSince = now - connection.idleSeconds * 1000 * USE_NOTED_SHARE;
  if (record.lastHandedOutAt > notSince) return;
  const isOffSchedule = record.dueAt === undefined && record.refusedVersion === undefined;
  const next = nextWay(connection, record, now);
  const dueAt = next.way === 'none' ? Math.max(record.token.refreshAt, next.until) : record.token.refreshAt;
  await store.write(slot, changes.recordUse({ now, notSince, dueAt: isOffSchedule ? dueAt : undefined }));
}

/** Asks for a refresh, if it is due and nobody has asked lately. Throws `store_unavailable`. */
export async function askRefresh(
  { store, minter }: { readonly store: Store; readonly minter: MintInvoker },
  { connection, slot, record, now, via }: Use,
): Promise<void> {
  const canSlideItself = via === 'proxy' && connection.maxSessionSeconds !== undefined;
  const askFrom = record.token.refreshAt + (canSlideItself ? PROXIED_GRACE_MS : 0);
  const notSince = now - ASK_INTERVAL_MS;
  const isQuiet = liveLease(record, now) === undefined && nextWay(connection, record, now).way !== 'none';
  if (now < askFrom || !isQuiet || record.refreshAskedAt > notSince) return;
  if (await store.write(slot, changes.askRefresh({ generation: record.generation, now, notSince }))) {
    await minter.ask(connection, { ...slot, trigger: 'reader' });
  }
}

async function tolerateOutage(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'store_unavailable')) throw error;
  }
}
