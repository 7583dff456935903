import { BrokerError } from '../words/errors.ts';
import { changed } from './change.ts';
import type { Claim, SlotChange } from './changes.ts';
import { EMPTY_RECORD, liveLease, type SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';
import type { Store } from './store.ts';

/** What came of trying to take a lease. */
export type Taken =
  | {
      readonly isOurs: true;
      /** The slot as it is under the lease. */
      readonly record: SlotRecord;
    }
  | {
      readonly isOurs: false;
      /** What the slot holds instead, read consistently. */
      readonly record: SlotRecord | undefined;
      /** The write's error, where it had one. */
      readonly error: BrokerError | undefined;
    };

/**
 * Takes a lease by `change`, which must rest on the record that `claim` has seen. A write whose reply was lost may have
 * been made, and is sent again: so where it did not say yes, one consistent read tells whose the lease is. Throws
 * `store_unavailable` where that fails.
 */
export async function takeLease(
  store: Store,
  slot: Slot,
  { leaseId, now, seen }: Pick<Claim, 'leaseId' | 'now' | 'seen'>,
  change: SlotChange,
): Promise<Taken> {
  let error: BrokerError | undefined;
  // A failed condition is billed like a write: look before writing.
  const isHeld = seen !== undefined && liveLease(seen, now) !== undefined;
  try {
    if (!isHeld && (await store.write(slot, change)))
      return { isOurs: true, record: changed(change, seen, EMPTY_RECORD) };
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure;
    error = failure;
  }
  const record = await store.read(slot, { consistent: true });
  return record?.lease?.id === leaseId ? { isOurs: true, record } : { isOurs: false, record, error };
}
