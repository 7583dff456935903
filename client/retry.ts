import type { Clock } from './clock.ts';
import { TokenBrokerError } from './error.ts';

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;
/** Statuses by which a gateway before the broker says "later". */
const GATEWAY_LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Limits on the attempts of a request. */
export interface RetryBudget {
  readonly attempts: number;
  /** Limit on all attempts and the waits between them together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Clock and jitter for the waits. `random` returns a number in [0, 1). */
export interface RetryDependencies {
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Runs work that is safe to repeat, up to `attempts` times within `timeoutMs`. Repeats it after no answer (`network`),
 * a 503 or 504 of the broker or its API with `Retry-After`, the API's `rate_limited`, and a 429, 502, 503 or 504 of a
 * gateway before it. Waits have full jitter, on top of `Retry-After`. If a wait would end after the budget, throws the
 * error at once.
 */
export async function withRetries<T>(
  { clock, random }: RetryDependencies,
  { attempts, timeoutMs, signal }: RetryBudget,
  attempt: (leftMs: number) => Promise<T>,
): Promise<T> {
  const until = clock.now() + timeoutMs;
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt(until - clock.now());
    } catch (error) {
      if (tried >= attempts || !isWorthRetrying(error)) throw error;
      const jitterMs = random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tried);
      const waitMs = (error.retryAfterMs ?? 0) + jitterMs;
      if (clock.now() + waitMs >= until) throw error;
      await clock.sleep(waitMs, signal).catch((reason: unknown) => {
        signal?.throwIfAborted();
        throw reason;
      });
    }
  }
}

/** Reports whether the same request may succeed later, with nothing changed by anybody. */
function isWorthRetrying(error: unknown): error is TokenBrokerError {
  if (!(error instanceof TokenBrokerError)) return false;
  const { kind, code, status = 0, retryAfterMs } = error;
  switch (kind) {
    case 'network':
      return true;
    case 'problem':
      return code === 'rate_limited' || ((status === 503 || status === 504) && retryAfterMs !== undefined);
    case 'gateway':
    case 'invalid_answer':
      return GATEWAY_LATER.has(status);
    default:
      return false;
  }
}

/**
 * Reports whether an error says nothing about this caller's right to the token, so that a good token is still handed
 * out. True for any error but a definite 4xx of the broker or its API, and a mistake in the call.
 */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof TokenBrokerError) || error.kind === 'usage') return false;
  const { kind, status = 0 } = error;
  const isOfTheApi = kind === 'problem' || kind === 'gateway';
  const isDefinite = status >= 400 && status < 500 && status !== 429;
  return !(isOfTheApi && isDefinite);
}
