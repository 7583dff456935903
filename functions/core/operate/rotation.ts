import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { type Logins, NO_LOGINS, noteRotation } from '../slot/logins.ts';
import { hasUsableToken, isLocked, liveLease, type SlotRecord } from '../slot/record.ts';
import { isServed, type Slot, SYSTEM } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

const SLOTS_A_PAGE = 100;
/** Shortest time between two reactions of a connection, however many versions its secret gets. */
const REACTION_INTERVAL_MS = 60_000;
/** Time after which the schedule tries the slots held back: one has shown by then what the version is worth. */
const PROOF_MS = 60_000;
/** Most looks for a slot that can prove the version, and the pause between two: together longer than any lease. */
const LOOKS = 10;
const LOOK_PAUSE_MS = 3_000;

interface Found {
  readonly slot: Slot;
  readonly record: SlotRecord;
}

/**
 * Creates the reaction to a new version of a secret. It ends the back-offs that another version caused, except that of
 * a locked account, and has one slot in use log in at the next sweep: that proves the version, or rings the alarm. Good
 * tokens stay, and so do refused versions, which `mint` compares the new one with. A version that somebody has logged
 * in with needs no proof. The reactions of a connection come a minute apart. Throws `store_unavailable`.
 */
export function createRotation({
  store,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): (connection: Connection, versionId: string) => Promise<void> {
  return async (connection, versionId) => {
    const { name } = connection;
    let at: number | undefined;
    let backOffsEnded = 0;
    let prover: Slot | undefined;
    for (let look = 0; look < LOOKS && prover === undefined; look += 1) {
      if (look > 0) await clock.sleep(LOOK_PAUSE_MS);
      const seen = (await store.logins(name)) ?? NO_LOGINS;
      let best: Found | undefined;
      for await (const found of listSlots(connection)) {
        const now = clock.now();
        if (look === 0 && isHeldBackByAnother(found.record, versionId, seen, now)) {
          at ??= await beginReaction(name, seen);
          if (await endBackOff(connection, found, at)) backOffsEnded += 1;
        }
        if (canProve(connection, found, now) && (best === undefined || isBetter(found, best, now))) best = found;
      }
      if (best === undefined || seen.secretVersion === versionId) break;
      const { slot, record } = best;
      // Whoever is at work may have read the version before, and its token would move the slot on the schedule.
      if (liveLease(record, clock.now()) !== undefined) continue;
      at ??= await beginReaction(name, seen);
      const dueAt = Math.min(record.dueAt ?? Infinity, at);
      if (await store.write(slot, changes.askProof(record, { unprovenVersion: versionId, dueAt }))) prover = slot;
    }
    const proof = prover === undefined ? {} : { provedBy: prover.subject };
    telemetry.info('A secret has a new version.', { connection: name, backOffsEnded, ...proof });
  };

  /** Notes that a reaction takes effect, now or a minute after the last. One that is still to come serves for both. */
  async function beginReaction(connection: string, known: Logins): Promise<number> {
    for (let seen = known; ; seen = (await store.logins(connection)) ?? NO_LOGINS) {
      const now = clock.now();
      const next = seen.rotatedAt > now ? seen.rotatedAt : seen.rotatedAt + REACTION_INTERVAL_MS;
      const at = Math.min(Math.max(next, now), now + REACTION_INTERVAL_MS);
      if (at === seen.rotatedAt || (await store.writeLogins(connection, noteRotation(seen, at, now)))) return at;
    }
  }

  function endBackOff(connection: Connection, { slot, record }: Found, at: number): Promise<boolean> {
    const { notBefore, dueAt = Infinity } = record;
    const triedAt = isInUse(connection, record, clock.now()) ? Math.min(dueAt, at + PROOF_MS) : undefined;
    return store.write(slot, changes.endBackOff(record, { notBefore: Math.min(notBefore, at), dueAt: triedAt }));
  }

  async function* listSlots({ name, fingerprint }: Connection): AsyncGenerator<Found> {
    let after: string | undefined;
    do {
      const page = await store.list({ connection: name, limit: SLOTS_A_PAGE, after });
      yield* page.slots.filter(({ slot }) => slot.fingerprint === fingerprint);
      after = page.next;
    } while (after !== undefined);
  }
}

/** Reports whether a slot is held back, and not by this version: by the one that it was refused, or the last of all. */
function isHeldBackByAnother(record: SlotRecord, version: string, { secretVersion }: Logins, now: number): boolean {
  const { notBefore, refusedVersion } = record;
  const isWaiting = notBefore > now || refusedVersion !== undefined;
  // The back-off of an attempt under way holds if nobody comes back.
  if (!isWaiting || isLocked(record, now) || liveLease(record, now) !== undefined) return false;
  return (refusedVersion ?? secretVersion) !== version;
}

/** Reports whether a slot in use may log in to prove a version: not where that ends a good token. */
function canProve(connection: Connection, { slot, record }: Found, now: number): boolean {
  const isInPlay = isServed(slot.subject, connection.subjects) && isInUse(connection, record, now);
  if (!isInPlay || isLocked(record, now)) return false;
  return connection.provider.limits?.single !== true || !hasUsableToken(record, now, connection.minTtlSeconds);
}

function isInUse({ idleSeconds }: Connection, { lastHandedOutAt }: SlotRecord, now: number): boolean {
  return now - lastHandedOutAt <= idleSeconds * 1000;
}

/**
 * Reports whether the first slot can prove a version better: one at rest before one at work, then `system`, whose
 * refusal is the credential's, then one that the upstream has served, then the one used last.
 */
function isBetter(one: Found, other: Found, now: number): boolean {
  const [ofOne = [], ofOther = []] = [one, other].map(({ slot, record }) => [
    Number(liveLease(record, now) === undefined),
    Number(slot.subject === SYSTEM),
    Number(record.token !== undefined),
    record.lastHandedOutAt,
  ]);
  const differs = ofOne.findIndex((rank, n) => rank !== ofOther[n]);
  return (ofOne[differs] ?? 0) > (ofOther[differs] ?? 0);
}
