import type { Connection } from '../../functions/core/slot/connection.ts';
import { type Slot, SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import { helpdeskConnection, workforceConnection } from '../simulation/connections.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';

/** The size of a company. Half of its connections serve staff and get tokens of a day; half get tokens of 20 minutes. */
export interface Company {
  readonly callers: number;
  readonly connections: number;
  /** Identities at all upstreams together, each connection's own among them. */
  readonly subjects: number;
  /** Calls to upstreams that each caller makes in a day, all of them between 8 and 18 o'clock. */
  readonly callsEach: number;
}

export const COMPANY: Company = { callers: 10_000, connections: 100, subjects: 20_000, callsEach: 60 };

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const OPEN_MS = { from: 8 * HOUR_MS, until: 18 * HOUR_MS } as const;

/** One slot with its connection. */
export interface Subject {
  readonly connection: Connection;
  readonly slot: Slot;
}

/** One call of a caller to an upstream. */
export interface Call extends Subject {
  readonly caller: string;
}

/** Draws up a company: the subjects of each connection, its own identity first. */
export function drawUp({ connections, subjects }: Company): readonly (readonly Subject[])[] {
  const staff = (2 * (subjects - connections)) / connections;
  return Array.from({ length: connections }, (_, index) => {
    const names = { name: `api-${index}`, secret: `token-broker/api-${index}`, isolation: `api-${index}` };
    const hasStaff = index % 2 === 0;
    const connection = hasStaff ? helpdeskConnection(names) : workforceConnection(names);
    const users = Array.from({ length: hasStaff ? staff : 0 }, (_, user) => `${user + 1}`);
    return [SYSTEM, ...users].map((subject) => ({ connection, slot: slotOf(connection, subject) }));
  });
}

/** Draws a call. A caller belongs to one connection, and calls half the time for one of its staff, whichever. */
export function drawCall(
  { callers }: Company,
  connections: readonly (readonly Subject[])[],
  random: SeededRandom,
): Call | undefined {
  const caller = random.integer(0, callers - 1);
  const subjects = connections[caller % connections.length] ?? [];
  const isForStaff = subjects.length > 1 && random.chance(0.5);
  const subject = subjects[isForStaff ? random.integer(1, subjects.length - 1) : 0];
  return subject && { ...subject, caller: `arn:aws:iam::123456789012:role/caller-${caller}` };
}
