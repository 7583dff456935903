import type { Clock, Telemetry } from '../core/words/platform.ts';
import { createSingleFlight } from '../core/words/single-flight.ts';
import type { Http } from '../http/port.ts';
import { fetchIssuerKeys } from './issuer-key-fetch.ts';
import type { IssuerKeySet, IssuerKeys, KeySource } from './issuer-key-source.ts';

/** One request; with discovery there are two. */
const TIMEOUT_MS = 3_000;
/** After this the keys are fetched again, so that one that the issuer withdrew ends here too. */
const FRESH_MS = 10 * 60_000;
/** How long keys outlive an issuer that does not answer. */
const KEPT_MS = 24 * 60 * 60_000;
/** At most one fetch in this time for keys that the set does not have, whoever names them. */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000;
/** How long an issuer that did not answer is left alone, while its last keys serve. */
const FAILURE_COOLDOWN_MS = 30_000;
/** The same where there are no keys at all, and every exchange fails. */
const EMPTY_COOLDOWN_MS = 5_000;

interface Entry {
  readonly set: IssuerKeySet | undefined;
  /** When `set` was fetched; monotonic, as all times here. */
  readonly fetchedAt: number;
  /** When the issuer last failed to give keys, since `fetchedAt`. */
  readonly failedAt: number | undefined;
  /** When the keys were last fetched for one that the set did not have. */
  readonly soughtAt: number | undefined;
}

const NOTHING: Entry = { set: undefined, fetchedAt: 0, failedAt: undefined, soughtAt: undefined };

/**
 * Creates the cache of issuers' keys, one an instance. Keys are fresh for ten minutes and kept for a day while the
 * issuer does not answer. Sources come from the configuration, so there are never more entries than it has.
 */
export function createIssuerKeys({
  http,
  clock,
  telemetry,
}: {
  readonly http: Http;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly telemetry: Telemetry;
}): IssuerKeys {
  const entries = new Map<string, Entry>();
  const once = createSingleFlight<Entry>();

  /** Never rejects: what fails is noted in the entry. */
  async function fetched(id: string, source: KeySource): Promise<Entry> {
    const { value } = await once(id, async () => {
      const set = await fetchIssuerKeys(http, source, TIMEOUT_MS);
      const before = entries.get(id) ?? NOTHING;
      const now = clock.monotonic();
      if (set === undefined) telemetry.warn('The keys of an issuer could not be fetched.', { issuer: source.issuer });
      const entry =
        set === undefined ? { ...before, failedAt: now } : { ...before, set, fetchedAt: now, failedAt: undefined };
      entries.set(id, entry);
      return entry;
    });
    return value;
  }

  async function current(id: string, source: KeySource): Promise<Entry> {
    const entry = entries.get(id) ?? NOTHING;
    const now = clock.monotonic();
    if (entry.set !== undefined && now - entry.fetchedAt < FRESH_MS) return entry;
    return isLeftAlone(entry, now) ? entry : fetched(id, source);
  }

  async function sought(id: string, source: KeySource, entry: Entry): Promise<Entry> {
    const now = clock.monotonic();
    const wasSought = entry.soughtAt !== undefined && now - entry.soughtAt < UNKNOWN_KEY_COOLDOWN_MS;
    if (wasSought || isLeftAlone(entry, now)) return entry;
    entries.set(id, { ...(entries.get(id) ?? entry), soughtAt: now });
    return fetched(id, source);
  }

  return {
    async keysOf(source, keyId) {
      const id = JSON.stringify([source.issuer, source.jwksUri ?? null]);
      const before = entries.get(id);
      let entry = await current(id, source);
      // Keys fetched for this very token lack it for good.
      const isNew = entry.fetchedAt !== before?.fetchedAt || entry.failedAt !== before?.failedAt;
      if (!isNew && keyId !== undefined && !hasKey(entry, keyId)) entry = await sought(id, source, entry);

      const now = clock.monotonic();
      const isUnsure = entry.failedAt !== undefined && keyId !== undefined && !hasKey(entry, keyId);
      if (entry.set === undefined || !hasKeys(entry, now) || isUnsure) {
        return { unavailable: true, retryAfterMs: retryAfterMs(entry, now) };
      }
      return entry.set;
    },
  };
}

/** Whether the issuer failed so lately that it is not asked again. */
function isLeftAlone(entry: Entry, now: number): boolean {
  return entry.failedAt !== undefined && now - entry.failedAt < cooldownMs(entry, now);
}

function cooldownMs(entry: Entry, now: number): number {
  return hasKeys(entry, now) ? FAILURE_COOLDOWN_MS : EMPTY_COOLDOWN_MS;
}

function hasKeys({ set, fetchedAt }: Entry, now: number): boolean {
  return set !== undefined && now - fetchedAt < KEPT_MS;
}

function hasKey({ set }: Entry, keyId: string): boolean {
  return set?.keys.some(({ kid }) => kid === keyId) ?? false;
}

function retryAfterMs(entry: Entry, now: number): number {
  return Math.max(0, cooldownMs(entry, now) - (now - (entry.failedAt ?? now)));
}
