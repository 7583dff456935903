import { BrokerError } from '../words/errors.ts';
import { applyChange } from './change.ts';
import type { Claim, SlotChange } from './changes.ts';
import { EMPTY_RECORD, liveLease, type SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';
import type { Store } from './store.ts';

/** Result of an attempt to take a lease. */
export type Taken =
  | {
      readonly isOurs: true;
      /** The record under the lease. */
      readonly record: SlotRecord;
    }
  | {
      readonly isOurs: false;
      /** The record found instead, read consistently; undefined also if the read failed. */
      readonly record: SlotRecord | undefined;
      /** First error of the store, if any: `store_unavailable`. */
      readonly error: BrokerError | undefined;
    };

/**
 * Takes a lease by `change`, which must depend on the record in `seen`. A write whose reply was lost may have been
 * made, and is sent again: so if the write is not confirmed, one consistent read tells who holds the lease.
 */
export async function takeLease(
  store: Store,
  slot: Slot,
  { leaseId, now, seen }: Pick<Claim, 'leaseId' | 'now' | 'seen'>,
  change: SlotChange,
): Promise<Taken> {
  // A failed condition is billed like a write, so check before writing.
  const isHeld = seen !== undefined && liveLease(seen, now) !== undefined;
  const written = isHeld ? false : await valueOrError(store.write(slot, change));
  if (written === true) return { isOurs: true, record: applyChange(change, seen, EMPTY_RECORD) };
  const error = written === false ? undefined : written;
  const record = await valueOrError(store.read(slot, { consistent: true }));
  if (record instanceof BrokerError) return { isOurs: false, record: undefined, error: error ?? record };
  return record?.lease?.id === leaseId ? { isOurs: true, record } : { isOurs: false, record, error };
}

async function valueOrError<T>(asked: Promise<T>): Promise<T | BrokerError> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BrokerError) return error;
    throw error;
  }
}
