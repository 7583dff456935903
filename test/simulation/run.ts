import type { Connection } from '../../functions/core/connection.ts';
import type { Slot } from '../../functions/core/slot.ts';
import { slotId, slotOf } from '../../functions/core/slot.ts';
import type { SlotRecord } from '../../functions/core/slot-record.ts';
import type { Scenario } from './scenario.ts';
import type { Answer, ProxyInstance, RecordedWrite, TokenInstance, World } from './world.ts';

/** A freeze of an instance; true times. */
export interface Freeze {
  readonly instance: string;
  readonly from: number;
  to: number;
}

/** Everything that happened in one simulation, for the invariants to look at. */
export interface Run {
  readonly scenario: Scenario;
  readonly world: World;
  readonly instances: TokenInstance[];
  readonly proxies: readonly ProxyInstance[];
  readonly freezes: Freeze[];
  /** Hashes of tokens whose ciphertext was changed in the table. */
  readonly spoilt: Set<string>;
  /** The writes to each slot's item, by its id; known once the run has ended. */
  writesBySlot: ReadonlyMap<string, readonly RecordedWrite[]>;
  /** What was done, in words. */
  readonly actions: { readonly at: number; readonly what: string }[];
  /** How many requests were made. */
  requests: number;
  /** What healing came to, slot by slot, where it failed. */
  readonly unhealed: string[];
  /** What was thrown at a proxied call and is no error of the broker's own. */
  readonly unforeseen: string[];
  /** Requests that had no answer although their instance lived. */
  unanswered: number;
}

/** What the network may take between the moment a token is found good and the moment its audit record is written. */
export const DECISION_MS = 3_000;

/** One thing that must not be. */
export interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly what: string;
}

/** All slots that callers asked for. */
export function slotsOf({ scenario }: Run): { readonly connection: Connection; readonly slot: Slot }[] {
  return scenario.connections.flatMap((connection) =>
    (scenario.subjects[connection.name] ?? []).map((subject) => ({ connection, slot: slotOf(connection, subject) })),
  );
}

/** The writes to one slot's item, in order. */
export function writesTo({ writesBySlot }: Run, slot: Slot): readonly RecordedWrite[] {
  return writesBySlot.get(slotId(slot)) ?? [];
}

/** What the table held of a slot at a moment. */
export function recordAt(writes: readonly RecordedWrite[], at: number): SlotRecord | undefined {
  return writes.findLast((write) => write.at <= at)?.after;
}

/** Reports whether the instance that gave an answer was frozen while it worked on it. */
export function wasFrozen({ freezes }: Run, { instance, askedAt, answeredAt }: Answer): boolean {
  return freezes.some((freeze) => freeze.instance === instance && freeze.from <= answeredAt && freeze.to >= askedAt);
}
