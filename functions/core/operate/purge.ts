import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { DAY_SECONDS, extendTtl } from '../slot/item-end.ts';
import { forgiveKept } from '../slot/kept.ts';
import { changeLogins, forgetRefusals, NO_LOGINS } from '../slot/logins.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { NOT_LOGGED_OUT, writePurged } from '../slot/purged-token.ts';
import type { SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { shortHash } from '../slot/token.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

/**
 * Creates the operator's purge of a slot: it drops token, refusal and back-off, and the refusals that stop the
 * connection's logins. A login in flight goes on, and its token is discarded. Where the provider has a logout, `mint`
 * is asked to end the token that was dropped; nobody waits for that. Writes nothing if the slot has no item. Throws
 * `store_unavailable`.
 */
export function createPurge({
  store,
  minter,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly minter: Pick<MintInvoker, 'ask'>;
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

  /** Asks `mint` to end a token at its upstream. The records are those just before and after its purge. */
  async function askLogout(
    connection: Connection,
    slot: Slot,
    { generation, token }: SlotRecord,
    after: SlotRecord | undefined,
  ): Promise<void> {
    if (connection.provider.logout === undefined || token === undefined) return;
    // A generation more says that another token was published before the purge, and dropped by it.
    const isPurged = after?.generation === generation + 1;
    const purged = writePurged(generation, token);
    const isAsked = isPurged && (await minter.ask(connection, { ...slot, trigger: 'purge', purged }));
    if (isAsked) return;
    telemetry.warn(NOT_LOGGED_OUT, {
      connection: connection.name,
      subject: slot.subject,
      tokenHash: shortHash(token.hash),
      why: isPurged ? 'mint_unavailable' : 'another token may have been purged in its place',
    });
  }

  return async ({ connection, slot, caller, requestId }) => {
    const existing = await store.read(slot, { consistent: true });
    if (existing === undefined) return;
    const ttlSeconds = extendTtl(existing.ttlSeconds, clock.now(), DAY_SECONDS);
    const after = await store.writeAndRead(slot, changes.purge({ ttlSeconds }));
    const asked = askLogout(connection, slot, existing, after);
    try {
      await forget(connection.name);
      if (connection.keptSecret !== undefined) await store.writeKept(connection.name, forgiveKept());
    } finally {
      await asked;
    }
    telemetry.info('A slot was purged.', { connection: connection.name, subject: slot.subject, caller, requestId });
  };
}
