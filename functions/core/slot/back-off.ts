import type { Random } from '../words/platform.ts';

/** Kinds of failure, each with its own back-off. See `backOffMs`. */
export type BackOffKind = 'not_judged' | 'unknown' | 'ambiguous_login' | 'locked' | 'refused' | 'misconfigured';

/** Longest back-off that an upstream's `Retry-After` can ask for. */
export const LONGEST_RETRY_AFTER_MS = 3_600_000;

const growthByKind = {
  not_judged: { firstMs: 1_000, maximumMs: 60_000, jitter: true },
  unknown: { firstMs: 30_000, maximumMs: 900_000, jitter: false },
  ambiguous_login: { firstMs: 60_000, maximumMs: 900_000, jitter: false },
  locked: { firstMs: 1_800_000, maximumMs: 1_800_000, jitter: false },
  refused: { firstMs: 10_000, maximumMs: 10_000, jitter: false },
  misconfigured: { firstMs: 3_600_000, maximumMs: 3_600_000, jitter: false },
} as const satisfies Record<BackOffKind, { firstMs: number; maximumMs: number; jitter: boolean }>;

/**
 * Computes the back-off after the `tries`-th attempt in a row without a token, in milliseconds. An attempt that may
 * have counted as a login is followed by its full back-off: at most 10 attempts in the first hour and 4 an hour after
 * it. Only a back-off after an attempt that was certainly not judged is jittered.
 */
export function backOffMs(kind: BackOffKind, tries: number, random: Random, retryAfterMs = 0): number {
  const { firstMs, maximumMs, jitter } = growthByKind[kind];
  const grown = Math.min(maximumMs, firstMs * 2 ** Math.min(Math.max(tries, 1) - 1, 20));
  const waited = jitter ? grown * (0.5 + random.fraction() / 2) : grown;
  return Math.ceil(Math.max(waited, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS)));
}
