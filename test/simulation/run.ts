import type { Connection } from '../../functions/core/slot/connection.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import type { Answer, RecordedWrite } from './happenings.ts';
import type { Scenario } from './scenario.ts';
import type { ProxyInstance, TokenInstance, World } from './world.ts';

/** A freeze of an instance; true times. */
export interface Freeze {
  readonly instance: string;
  readonly from: number;
  to: number;
}

/** One simulation under way, with all that the invariants look at beside the world's log. */
export interface Run {
  readonly scenario: Scenario;
  readonly world: World;
  /** Most requests that may wait for tokens of one connection. */
  readonly mostWaits: number | undefined;
  readonly instances: TokenInstance[];
  readonly proxies: readonly ProxyInstance[];
  readonly freezes: Freeze[];
  /** What was done, in words. */
  readonly actions: { readonly at: number; readonly what: string }[];
  /** The kinds of faults that any of its weathers had. */
  readonly faultKinds: Set<string>;
  /** How many requests were made. */
  requests: number;
  /** What healing came to, slot by slot, where it failed. */
  readonly unhealed: string[];
  /** What ended the run before its time, where no invariant did. */
  readonly unforeseen: string[];
  /** Requests that had no answer although their instance lived; known once the run has come to its end. */
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

/** What the table held of a slot at a moment. */
export function recordAt(writes: readonly RecordedWrite[], at: number): SlotRecord | undefined {
  return writes.findLast((write) => write.at <= at)?.after;
}

/** Reports whether the instance that gave an answer was frozen while it worked on it. */
export function wasFrozen({ freezes }: Run, { instance, askedAt, answeredAt }: Answer): boolean {
  return freezes.some((freeze) => freeze.instance === instance && freeze.from <= answeredAt && freeze.to >= askedAt);
}

/** What an invariant has to work with for one slot. */
export interface Watched {
  readonly run: Run;
  readonly connection: Connection;
  readonly slot: Slot;
  /** The writes to the slot's item so far, the one that is just heard of included. */
  readonly writes: readonly RecordedWrite[];
  /** Says that the invariant, or the one that is named, is broken, and when (true time). */
  readonly found: (at: number, what: string, invariant?: string) => void;
}
