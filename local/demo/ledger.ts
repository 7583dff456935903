/** One login and its result; `status` is 0 if nothing was answered. */
export interface LedgerLogin {
  /** Time of the result, ISO 8601 by the real clock. */
  readonly at: string;
  /** `system`, a staff member's PKID, or `unknown`. */
  readonly subject: string;
  readonly status: number;
}

/** One answer that carried a token in its header (C15). */
export type LedgerSlide = LedgerLogin;

/** One gated call. */
export interface LedgerCall extends LedgerLogin {
  readonly method: string;
  /** Path without the query, which may hold a credential. */
  readonly path: string;
}

/** Record of the requests to an upstream, oldest first; never a token or a credential. */
export interface Ledger {
  readonly logins: LedgerLogin[];
  readonly slides: LedgerSlide[];
  readonly calls: LedgerCall[];
}

/** Writes a ledger of bounded length. */
export interface LedgerBook {
  login(entry: Omit<LedgerLogin, 'at'>): void;
  slide(entry: Omit<LedgerSlide, 'at'>): void;
  call(entry: Omit<LedgerCall, 'at'>): void;
  read(): Ledger;
  clear(): void;
}

const PATH_LENGTH_LIMIT = 200;

/** Creates a ledger that keeps the newest `limit` entries of each kind in memory. */
export function createLedgerBook(limit = 10_000): LedgerBook {
  const logins = createBoundedList<LedgerLogin>(limit);
  const slides = createBoundedList<LedgerSlide>(limit);
  const calls = createBoundedList<LedgerCall>(limit);
  const at = () => new Date().toISOString();
  return {
    login: (entry) => logins.add({ at: at(), ...entry }),
    slide: (entry) => slides.add({ at: at(), ...entry }),
    call: (entry) => calls.add({ at: at(), ...entry, path: entry.path.slice(0, PATH_LENGTH_LIMIT) }),
    read: () => ({ logins: logins.newest(), slides: slides.newest(), calls: calls.newest() }),
    clear() {
      logins.clear();
      slides.clear();
      calls.clear();
    },
  };
}

function createBoundedList<Entry>(limit: number) {
  let entries: Entry[] = [];
  return {
    add(entry: Entry): void {
      entries.push(entry);
      // Cut in batches: removing the oldest one by one would move the whole list each time.
      if (entries.length >= limit * 2) entries = entries.slice(-limit);
    },
    newest: (): Entry[] => entries.slice(-limit),
    clear(): void {
      entries = [];
    },
  };
}
