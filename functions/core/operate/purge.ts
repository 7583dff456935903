import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { DAY_SECONDS, extendTtl } from '../slot/item-end.ts';
import { forgiveKept } from '../slot/kept.ts';
import { changeLogins, forgetRefusals, NO_LOGINS } from '../slot/logins.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

/**
 * Creates the operator's purge of a slot: it drops token, refusal and back-off, and the refusals that stop the
 * connection's logins. A login in flight goes on, and its token is discarded. Writes nothing if the slot has
 * no item. Throws `store_unavailable`.
 */
export function createPurge({
  store,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): (purge: {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly caller: string;
  readonly requestId: string;
}) => Promise<void> {
  /** Lets the connection log in again. Tries again where somebody else writes at the same moment. */
  async function forget(connection: string): Promise<void> {
    for (let isWritten = false; !isWritten; ) {
      const seen = (await store.logins(connection)) ?? NO_LOGINS;
      const now = clock.now();
      const next = forgetRefusals(seen, now);
      isWritten = next === seen || (await store.writeLogins(connection, changeLogins(seen, next, now)));
    }
  }

  return async ({ connection, slot, caller, requestId }) => {
    const existing = await store.read(slot, { consistent: true });
    if (existing === undefined) return;
    const ttlSeconds = extendTtl(existing.ttlSeconds, clock.now(), DAY_SECONDS);
    await store.write(slot, changes.purge({ ttlSeconds }));
    await forget(connection.name);
    if (connection.keptSecret !== undefined) await store.writeKept(connection.name, forgiveKept());
    telemetry.info('A slot was purged.', { connection: connection.name, subject: slot.subject, caller, requestId });
  };
}
