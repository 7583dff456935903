import type { Change, Condition } from './change.ts';
import type { Lease } from './record.ts';

/**
 * Item of a connection whose credential has a field that rotates: the right to send the field's value, and what is
 * known of the value that was kept last. One item a connection, whatever its fingerprints, and it never ends.
 */
export interface KeptRecord {
  readonly lease?: Pick<Lease, 'id' | 'until'> | undefined;
  /** Counts the writes of this item, so that the right to send is taken only as the item was read. */
  readonly fence: number;
  /** Version of the operator's secret that the value kept last came from. */
  readonly of?: string | undefined;
  /** Generation of the value kept last. A reading of the kept secret with an older one lags behind. */
  readonly generation: number;
  /** A value that the kept secret could not take, sealed for `mint` alone. */
  readonly waiting?: WaitingValue | undefined;
  /** Name of the value that the upstream refused. See `nameOfValue`. */
  readonly refused?: string | undefined;
  /**
   * Version of the kept secret that has brought a token and was not replaced since: the one before it is spent for
   * good, whatever the operator's secret says now.
   */
  readonly used?: string | undefined;
}

export interface WaitingValue {
  readonly ciphertext: Uint8Array;
  /** The data key, encrypted by KMS. */
  readonly dataKey: Uint8Array;
}

/** A write to the item of a connection's kept values. */
export type KeptChange = Change<KeptRecord>;

/** Record of a connection that has no such item. */
export const NOTHING_KEPT: KeptRecord = { fence: 0, generation: 0 };

/** Part of every change here. */
const COUNTED = { fence: 1 };
const holds = (leaseId: string): Condition<KeptRecord> => ({ field: 'lease.id', is: leaseId });

/** Takes the right to send, if nothing has happened to the item since it was read. */
export const takeKept = ({
  leaseId,
  leaseUntil,
  seen,
}: {
  leaseId: string;
  leaseUntil: number;
  seen: KeptRecord | undefined;
}): KeptChange => ({
  name: 'takeKept',
  onlyIf: [seen === undefined ? { item: 'absent' } : { field: 'fence', is: seen.fence }],
  set: { lease: { id: leaseId, until: leaseUntil } },
  add: COUNTED,
});

/** Puts a value here that the kept secret could not take. */
export const putWaiting = ({
  leaseId,
  of,
  generation,
  waiting,
}: {
  leaseId: string;
  of: string;
  generation: number;
  waiting: WaitingValue;
}): KeptChange => ({
  name: 'putWaiting',
  onlyIf: [holds(leaseId)],
  set: { of, generation, waiting },
  add: COUNTED,
});

/** Notes that the upstream refused a value, before any other is sent. */
export const noteRefused = ({ leaseId, refused }: { leaseId: string; refused: string }): KeptChange => ({
  name: 'noteRefused',
  onlyIf: [holds(leaseId)],
  set: { refused },
  add: COUNTED,
});

/** Ends the right to send, with the value that the kept secret has by now, and the one that was used with success. */
export const endKept = ({
  leaseId,
  kept,
  used,
}: {
  leaseId: string;
  kept?: { readonly of: string; readonly generation: number } | undefined;
  used?: string | undefined;
}): KeptChange => ({
  name: 'endKept',
  onlyIf: [holds(leaseId)],
  set: { of: kept?.of, generation: kept?.generation, used },
  add: COUNTED,
  clear: kept === undefined ? ['lease'] : ['lease', 'waiting'],
});

/** Lets a refused value be sent again, at an operator's word. */
export const forgiveKept = (): KeptChange => ({
  name: 'forgiveKept',
  onlyIf: [{ item: 'present' }],
  add: COUNTED,
  clear: ['refused'],
});
