import type { Change } from '../../functions/core/slot/change.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { Logins } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';

/** Roles of functions: of callers (`get`, `report`, `call`), of operators (`delete`), of events, and of the schedule. */
export type Role = 'get' | 'report' | 'call' | 'delete' | 'rotate' | 'schedule';

/** Faults that a plan may allow. */
export const FAULTS = [
  'crash',
  'lost reply',
  'stale read',
  'invoked twice',
  'not invoked',
  'unknown outcome',
  'refused login',
  'unauthorized',
  'unopened',
  'time',
  'deletion',
] as const;
export type Fault = (typeof FAULTS)[number];

/** A small world: its functions, the slot they work on, and how often each fault may happen. */
export interface Plan {
  readonly name: string;
  readonly connection: Connection;
  readonly roles: readonly Role[];
  /** Subjects of `roles`, and then of `later`, in that order; `system` for all by default. */
  readonly subjects?: readonly string[];
  /** Roles that begin only once time has passed, or the item was deleted. */
  readonly later?: readonly Role[];
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** Set if tokens can be slid. */
  readonly slides?: boolean;
  /** Set if every login brings the first token again. */
  readonly reissues?: boolean;
  /** Set if all requests are of one caller. */
  readonly isOneCaller?: boolean;
  /** The slot's record at the beginning, and the time; nothing by default. */
  readonly start?: Start;
}

export interface Start {
  /** Record of each slot; none if absent. */
  readonly record?: SlotRecord | undefined;
  /** The connection's logins; none if absent. */
  readonly logins?: Logins;
  readonly at: number;
}

/** Ways in which a broker is broken on purpose, to show that the search notices. */
export interface Broken {
  /** Changes each write. */
  readonly alter: <R>(change: Change<R>) => Change<R>;
  /** Hides a part of what is known of the connection's logins from whoever reads it. */
  readonly blind: (logins: Logins) => Logins;
}

/** One possible answer to a call of a port. */
export interface Answer<T> {
  readonly what?: string;
  readonly fault?: Fault;
  readonly give: () => T;
}

/** Resolves with the answer that the search chooses; waits while there is none to choose. */
export type CallPort = <T>(process: Process, what: string, answers: () => readonly Answer<T>[]) => Promise<T>;

/** A call that waits to be answered. */
export interface Call {
  readonly number: number;
  readonly what: string;
  readonly answers: () => readonly Answer<unknown>[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One running function. It knows only what its calls were answered, and when. */
export interface Process {
  readonly name: string;
  readonly role: Role | 'mint';
  readonly slot: Slot;
  readonly pending: Call[];
  /** The answers, by the number of the call. */
  readonly seen: string[];
  /** Set if the slot was written since this process read it. */
  hasNews: boolean;
  state: 'alive' | 'dead' | 'ended';
  outcome?: unknown;
}
