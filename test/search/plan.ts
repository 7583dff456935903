import type { Connection } from '../../functions/core/slot/connection.ts';
import type { Logins } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';

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
  readonly record: SlotRecord;
  /** The connection's logins; none by default. */
  readonly logins?: Logins;
  readonly at: number;
}

/** One possible answer to a call of a port. */
export interface Answer<T> {
  readonly what?: string;
  readonly fault?: Fault;
  readonly give: () => T;
}

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
  readonly pending: Call[];
  /** The answers, by the number of the call. */
  readonly seen: string[];
  /** Set if the slot was written since this process read it. */
  hasNews: boolean;
  state: 'alive' | 'dead' | 'ended';
  outcome?: unknown;
}
