import type { Secrets } from '../core/mint/secrets.ts';
import type { Connection } from '../core/slot/connection.ts';
import type { Keys } from '../core/slot/keys.ts';
import { isServed, SYSTEM, slotOf } from '../core/slot/slot.ts';
import type { Store } from '../core/slot/store.ts';

/** Time limit of the warm-up: longer than the first request to a new connection, far below Lambda's 10 s for INIT. */
const LONGEST_MS = 1_500;

/**
 * Does before the first request what that would otherwise wait for: opens the connection to the store, and to KMS
 * where there is a data key to decrypt, and runs the code of both once. Reads the slot of one connection's own identity
 * and keeps its data key, no token; beside it that connection's secret, where `secrets` are given. Whatever fails, or
 * takes longer than 1.5 s, is left to the request.
 */
export async function warmUp({
  connections,
  store,
  keys,
  secrets,
  isOpened = () => true,
}: {
  readonly connections: Readonly<Record<string, Connection>>;
  readonly store: Pick<Store, 'read'>;
  readonly keys: Pick<Keys, 'decrypt'>;
  readonly secrets?: Secrets;
  /** Reports whether the function opens data keys of a connection. Default: of each. */
  readonly isOpened?: (connection: Connection) => boolean;
}): Promise<void> {
  const slots = Object.values(connections).map((connection) => ({ connection, slot: slotOf(connection, SYSTEM) }));
  const served = slots.find(({ connection }) => isServed(SYSTEM, connection.subjects)) ?? slots[0];
  if (served === undefined) return;
  const { connection, slot } = served;
  const readSlot = async () => {
    const record = await store.read(slot, { consistent: false });
    if (record?.token !== undefined && isOpened(connection)) await keys.decrypt(slot.connection, record.token.dataKey);
  };
  const work = () => Promise.allSettled([readSlot(), secrets?.current({ secret: connection.secret, maxAgeMs: 0 })]);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LONGEST_MS);
    const settled = () => {
      clearTimeout(timer);
      resolve();
    };
    work().then(settled, settled);
  });
}
