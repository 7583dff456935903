import type { Connection } from '../slot/connection.ts';
import { leaseLengthMs, waitLimitMs } from '../slot/lease.ts';
import { returnPermit, takePermit } from '../slot/permit.ts';
import type { SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { CLOCK_SKEW_MS } from '../slot/token.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import { createInProgressError } from './next-step.ts';

const SHORTEST_PAUSE_MS = 50;
/** Longest pause of a young wait: most logins take a few tenths of a second. */
const QUICK_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 500;
/**
 * Longest pause, in times that the last look took. Where looks are slow, the store or the machine is busy, and the login
 * that everybody waits for needs it.
 */
const PAUSE_IN_LOOKS = 20;
/** Number of permits that a wait asks for: if all of them are taken, most of the others are taken too. */
const PERMITS_TRIED = 4;
const FULL_RETRY_MS = 1_000;

export interface WaitDependencies {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Number of requests, over all instances, that may wait for tokens of one connection; undefined for no limit. */
  readonly mostWaits?: number | undefined;
}

/** Request that must wait for a token, from its own attempt or another's. */
export interface WaitingRequest {
  readonly connection: Connection;
  readonly slot: Slot;
  /** Monotonic milliseconds. */
  readonly deadline: number;
}

/** Wait of one request. */
export interface Wait {
  /** Pauses, then reads the slot consistently. Throws `refresh_in_progress` when its time is over. */
  look(record: SlotRecord): Promise<SlotRecord | undefined>;
  /** Ends the wait, so that another may begin. Never throws. */
  end(): Promise<void>;
}

/**
 * Begins a wait, which a request needs before it has a token minted too. Where no permit is free, returns undefined if
 * the slot was not read consistently, else throws `refresh_in_progress`.
 */
export type BeginWait = (request: WaitingRequest, isConsistent: boolean) => Promise<Wait | undefined>;

/**
 * Creates the function that begins waits. Where there is a limit, each wait needs one of the connection's permits, so
 * that waits for one connection never hold all executions of a function.
 */
export function createBeginWait({ store, telemetry, clock, random, mostWaits }: WaitDependencies): BeginWait {
  /** Takes one of the permits, if one is free, and gives a function that returns it. */
  async function takeOne(
    { connection: { name }, deadline }: WaitingRequest,
    most: number,
  ): Promise<(() => Promise<unknown>) | undefined> {
    const holder = random.uuid();
    const now = clock.now();
    // It outlasts the request by any clock, and ends by itself if the process never returns it.
    const until = now + (deadline - clock.monotonic()) + CLOCK_SKEW_MS;
    const first = Math.floor(random.fraction() * most);
    for (let tried = 0; tried < Math.min(PERMITS_TRIED, most); tried += 1) {
      const number = (first + tried) % most;
      if (await store.writePermit(name, number, takePermit({ holder, now, until })))
        return () => store.writePermit(name, number, returnPermit({ holder }));
    }
    return undefined;
  }

  /**
   * Returns the pause before the next look, jittered so that looks do not coincide. While `leftMs` is left of the time
   * that the last attempt took, the pause ends soon after that. Else it is short for young waits, and longer where looks
   * are slow.
   */
  function pauseMs({ leftMs, ageMs, lookMs }: Readonly<Record<'leftMs' | 'ageMs' | 'lookMs', number>>): number {
    if (leftMs > 0) return Math.min(leftMs, LONGEST_PAUSE_MS) + SHORTEST_PAUSE_MS * (1 + random.fraction());
    const mostMs = Math.max(lookMs * PAUSE_IN_LOOKS, LONGEST_PAUSE_MS);
    const longestMs = Math.min(Math.max(ageMs, QUICK_PAUSE_MS), mostMs);
    return SHORTEST_PAUSE_MS + random.fraction() * (longestMs - SHORTEST_PAUSE_MS);
  }

  return async (request, isConsistent) => {
    const { connection, slot, deadline } = request;
    const beganAt = clock.monotonic();
    const giveBack = mostWaits === undefined ? async () => true : await takeOne(request, mostWaits);
    if (giveBack === undefined) {
      if (!isConsistent) return undefined;
      throw new BrokerError(
        'refresh_in_progress',
        `As many requests as may already wait for tokens of ${connection.name}, so that callers of other connections are served. Ask again.`,
        { retryAfterMs: FULL_RETRY_MS },
      );
    }
    let waitUntil: number | undefined;
    let waitedMs = 0;
    let lookMs = 0;
    return {
      async look(record) {
        const now = clock.monotonic();
        waitUntil ??= Math.min(now + waitLimitMs(connection), deadline);
        if (now >= waitUntil) throw createInProgressError(connection, record, clock.now());
        const leftMs = timeLeftMs(connection, record, clock.now());
        const pausedMs = Math.min(pauseMs({ leftMs, ageMs: now - beganAt, lookMs }), waitUntil - now);
        await clock.sleep(pausedMs);
        waitedMs += clock.monotonic() - now;
        const found = await store.read(slot, { consistent: true });
        // A pause that ends late is a sign of the same.
        lookMs = clock.monotonic() - now - pausedMs;
        return found;
      },
      async end() {
        await giveBack().catch(() => false);
        if (waitedMs > 0)
          telemetry.metrics(
            {},
            { WaitForMint: { unit: 'Milliseconds', value: waitedMs } },
            { fields: { connection: connection.name } },
          );
      },
    };
  };
}

/** Returns the time until an attempt ends that takes as long as the last; milliseconds. Unknown or over: 0 or less. */
function timeLeftMs(connection: Connection, { lease, token }: SlotRecord, now: number): number {
  const { mintMs } = token ?? {};
  if (lease === undefined || mintMs === undefined) return 0;
  const takenAt = lease.until - leaseLengthMs(connection);
  return Math.min(takenAt + mintMs - now, mintMs);
}
