/** One request and its result; `status` is 0 if nothing was answered. */
export interface LedgerEntry {
  /** Time of the result, ISO 8601 by the real clock. */
  readonly at: string;
  /** `system`, a user, or `unknown`. */
  readonly subject: string;
  readonly status: number;
}

/** One gated call. */
export interface LedgerCall extends LedgerEntry {
  readonly method: string;
  /** Path without the query, which may hold a credential. */
  readonly path: string;
}

/** Record of the requests to an upstream, oldest first; never a token or a credential. */
export interface Ledger {
  readonly logins: LedgerEntry[];
  /** Answers that carried a token in their header (C15). */
  readonly slides: LedgerEntry[];
  readonly calls: LedgerCall[];
}

const PATH_LENGTH_LIMIT = 200;

/** Creates a ledger that keeps the newest `limit` entries of each kind in memory. */
export function createLedgerBook(limit = 10_000) {
  const { logins, slides, calls }: Ledger = { logins: [], slides: [], calls: [] };
  const at = () => new Date().toISOString();

  function add<Entry>(list: Entry[], entry: Entry): void {
    list.push(entry);
    // Cut in batches: removing the oldest one by one would move the whole list each time.
    if (list.length >= limit * 2) list.splice(0, list.length - limit);
  }

  return {
    login: (entry: Omit<LedgerEntry, 'at'>) => add(logins, { at: at(), ...entry }),
    slide: (entry: Omit<LedgerEntry, 'at'>) => add(slides, { at: at(), ...entry }),
    call: (entry: Omit<LedgerCall, 'at'>) =>
      add(calls, { at: at(), ...entry, path: entry.path.slice(0, PATH_LENGTH_LIMIT) }),
    read: (): Ledger => ({ logins: logins.slice(-limit), slides: slides.slice(-limit), calls: calls.slice(-limit) }),
    clear() {
      for (const list of [logins, slides, calls]) list.length = 0;
    },
  };
}
