import { LONGEST_RETRY_AFTER_MS } from '../../core/slot/back-off.ts';
import type { HttpHeaders } from '../../http/port.ts';

const DELTA_SECONDS = /^\d{1,10}$/;
/** The only form of a date that servers may write (RFC 9110 §5.6.7). `Date.parse` accepts almost anything. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The answer's `Date` in epoch milliseconds, or undefined where it has none that can be read (H14). */
export function readServerDate(headers: HttpHeaders): number | undefined {
  const date = single(headers, 'date');
  return date === undefined ? undefined : parseHttpDate(date);
}

/**
 * Reads `Retry-After` in milliseconds, at most an hour (RFC 9110 §10.2.3). A date counts from the answer's own `Date`,
 * else from `now`. Undefined where the header is absent or cannot be read.
 */
export function readRetryAfterMs(headers: HttpHeaders, now: number): number | undefined {
  const value = single(headers, 'retry-after');
  if (value === undefined) return undefined;
  if (DELTA_SECONDS.test(value)) return Math.min(Number(value) * 1000, LONGEST_RETRY_AFTER_MS);
  const at = parseHttpDate(value);
  if (at === undefined) return undefined;
  return Math.min(Math.max(at - (readServerDate(headers) ?? now), 0), LONGEST_RETRY_AFTER_MS);
}

function parseHttpDate(text: string): number | undefined {
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function single(headers: HttpHeaders, name: string): string | undefined {
  const values = headers[name];
  return values?.length === 1 ? values[0] : undefined;
}
