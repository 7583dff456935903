import type { BrokerApi, ConnectionStatus, FirstSlots, SlotStatus } from '../broker-api.ts';
import { remedyOf } from '../remedies.ts';
import { runbookOf } from './runbooks.ts';

/** Budget for the page's calls: no retries, since the page polls anyway. */
export const ONE_TRY = { attempts: 1, timeoutMs: 30_000 };

type Members = Readonly<Record<string, unknown>>;

/** Members that the page's server adds to a connection of the broker's; the README lists further ones. */
export interface BesideConnection extends Members {
  /** Subjects to offer; the first always has a row. */
  readonly subjects: readonly string[];
  /** Users who may be asked for beside them, as the connection writes them; null where nobody may. */
  readonly users: { readonly pattern: string; readonly words: string } | null;
}

/**
 * The subjects that a page offers of those that a connection serves. `known` are users to offer where any may be asked
 * for.
 */
export function offerSubjects(
  { system, users }: ConnectionStatus['subjects'],
  known: readonly string[] = [],
): BesideConnection {
  const isOpen = users !== null && users.listed === null;
  const offered = isOpen ? known : (users?.listed ?? []);
  return {
    subjects: [...(system ? ['system'] : []), ...offered],
    users: isOpen ? { pattern: users.pattern, words: users.words } : null,
  };
}

/** Members that the page's server adds to the whole state. */
export interface BesideAll {
  /** Buttons beside those that work with every broker. */
  readonly abilities: readonly ('herd' | 'refresh')[];
  /** Pages to link to. */
  readonly links?: readonly 'docs'[];
  /** A sentence or two about what is shown. */
  readonly note?: string;
  /** Interval of the page's polling; default one second. */
  readonly look_every_ms?: number;
  /** Interval of its looks at the history; default five seconds. */
  readonly history_every_ms?: number;
  /** Events, newest first. */
  readonly events?: readonly unknown[];
}

/** Additions of the page's server to the state. */
export interface StateSources {
  readonly besideConnection: (connection: FirstSlots) => BesideConnection | Promise<BesideConnection>;
  readonly beside: () => BesideAll;
}

/**
 * Creates the state that the page draws, from the broker's API and the additions of the page's server. It never holds a
 * token. Rejects with a `TokenBrokerError` if the broker does not answer.
 */
export function createState(
  api: Pick<BrokerApi, 'connections' | 'firstSlots'>,
  { besideConnection, beside }: StateSources,
): () => Promise<Members> {
  async function connection(name: string): Promise<Members> {
    const status = await api.firstSlots(name, ONE_TRY);
    const { slots, hasMore, ...summary } = status;
    return { ...summary, slots: slots.map(withRemedy), more_slots: hasMore, ...(await besideConnection(status)) };
  }

  return async () => {
    const connections = await api.connections(ONE_TRY);
    const states = await Promise.all(connections.map(({ name }) => connection(name)));
    return { now: new Date().toISOString(), connections: states, ...beside() };
  };
}

function withRemedy(slot: SlotStatus): Members {
  const { last_error: error } = slot;
  if (error === null) return slot;
  const { code } = error;
  return { ...slot, last_error: { ...error, remedy: remedyOf(code) ?? '', runbook: runbookOf(code) } };
}
