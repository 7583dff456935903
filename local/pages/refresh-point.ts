import type { Connection } from '../../functions/core/slot/connection.ts';
import type { Keys } from '../../functions/core/slot/keys.ts';
import { expiresAtOf } from '../../functions/core/slot/record.ts';
import { open, sealNext } from '../../functions/core/slot/seal.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import type { Random } from '../../functions/core/words/platform.ts';

/**
 * Creates a function that makes a slot due for refresh at once, as if its `refreshAt` had come, and runs the schedule.
 * The broker then slides, logs in, or finds that it may not yet. False if the slot holds no token. `refreshAt` is under
 * the seal, so that the token is sealed again, as the same generation.
 */
export function createRefreshPoint({
  store,
  keys,
  broker,
  random,
  runSchedule,
}: {
  readonly store: Pick<Store, 'read' | 'write'>;
  readonly keys: Pick<Keys, 'decrypt'>;
  readonly broker: string;
  readonly random: Random;
  readonly runSchedule: () => Promise<void>;
}): (connection: Connection, subject: string) => Promise<boolean> {
  return async (connection, subject) => {
    const slot = slotOf(connection, subject);
    const record = await store.read(slot, { consistent: true });
    const sealed = record?.token;
    if (record === undefined || sealed === undefined) return false;
    const { generation } = record;
    const plaintext = await keys.decrypt(connection.name, sealed.dataKey);
    const content = plaintext && open(sealed, plaintext, { broker, slot, generation });
    if (plaintext === undefined || content === undefined) return false;

    const now = Date.now();
    const facts = { ...sealed, ...content, expiresAt: expiresAtOf(sealed), refreshAt: now };
    const key = { plaintext, encrypted: sealed.dataKey };
    const token = sealNext({ broker, random }, slot, { generation: generation - 1 }, { ...facts, key });
    const isWritten = await store.write(slot, {
      name: 'refresh',
      onlyIf: [{ field: 'generation', is: generation }],
      set: { token, dueAt: now, lastHandedOutAt: now },
    });
    if (isWritten) await runSchedule();
    return isWritten;
  };
}
