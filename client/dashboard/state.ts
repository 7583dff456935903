import type { BrokerApi, ConnectionStatus, FirstSlots, SlotStatus } from '../broker-api.ts';
import { remedyOf } from '../remedies.ts';

/** Nobody who looks at a page wants to wait for further attempts: the next look is one. */
export const ONE_TRY = { attempts: 1, timeoutMs: 30_000 };

type Members = Readonly<Record<string, unknown>>;

/** What a server knows of a connection beside what the broker says; the README has more members that it may give. */
export interface BesideConnection extends Members {
  /** Subjects to offer; the first always has a row. */
  readonly subjects: readonly string[];
  /** Users who may be asked for beside them, as the connection writes them; null where nobody may. */
  readonly users: { readonly pattern: string; readonly words: string } | null;
}

/** The subjects that a page offers of those that a connection serves. `known` are users to offer where any may be asked for. */
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

/** What a server knows of the whole beside what the broker says. */
export interface BesideAll {
  /** What the page can do beside what every broker can. */
  readonly abilities: readonly ('herd' | 'refresh')[];
  /** Pages to link to. */
  readonly links?: readonly 'docs'[];
  /** A sentence or two about what is shown. */
  readonly note?: string;
  /** How often the page looks; every second where it is left out. */
  readonly look_every_ms?: number;
  /** What happened, newest first. */
  readonly events?: readonly unknown[];
}

/** What else the page draws, from whoever serves it. */
export interface StateSources {
  readonly besideConnection: (connection: FirstSlots) => BesideConnection | Promise<BesideConnection>;
  readonly beside: () => BesideAll;
}

/**
 * Puts together what the page draws, from the broker's own API and what its server knows beside it. Never a token.
 * Rejects with a `TokenBrokerError` where the broker does not answer.
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
  return error === null ? slot : { ...slot, last_error: { ...error, remedy: remedyOf(error.code) ?? '' } };
}
