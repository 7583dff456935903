import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

const SLOTS_A_PAGE = 100;

/**
 * Creates the reaction to a new version of a secret: it ends the back-off of the connection's slots and makes those in
 * use due at once, but for those whose account is locked. Good tokens stay. So does the refused version, since `mint`
 * compares the new one with it. Throws `store_unavailable`.
 */
export function createRotation({
  store,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): (connection: Connection) => Promise<void> {
  return async (connection) => {
    let ended = 0;
    let after: string | undefined;
    do {
      const page = await store.list({ connection: connection.name, limit: SLOTS_A_PAGE, after });
      const now = clock.now();
      for (const { slot, record } of page.slots) {
        const isCurrent = slot.fingerprint === connection.fingerprint;
        const isHeldBack = record.notBefore > 0 || record.refusedVersion !== undefined || record.failure !== undefined;
        // A new version would not unlock an account, and might keep it locked.
        const isLocked = record.failure?.code === 'upstream_account_locked' && record.notBefore > now;
        if (!isCurrent || !isHeldBack || isLocked) continue;
        const isInUse = now - record.lastHandedOutAt <= connection.idleSeconds * 1000;
        await store.write(slot, changes.endBackOff({ dueAt: isInUse ? now : undefined }));
        ended += 1;
      }
      after = page.next;
    } while (after !== undefined);
    telemetry.info('A secret has a new version.', { connection: connection.name, backOffsEnded: ended });
  };
}
