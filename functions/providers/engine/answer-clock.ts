import { LONGEST_RETRY_AFTER_MS } from '../../core/slot/back-off.ts';
import type { HttpHeaders } from '../../http/port.ts';
import { parseHttpDate } from './dates.ts';

const DELTA_SECONDS = /^\d{1,10}(?:\.\d{1,9})?$/;

/** The answer's `Date` in epoch milliseconds, or undefined where it has none that can be read (H14). */
export function readServerDate(headers: HttpHeaders): number | undefined {
  const date = single(headers, 'date');
  return date === undefined ? undefined : parseHttpDate(date);
}

/**
 * Reads `Retry-After` in milliseconds, at most an hour (RFC 9110 §10.2.3), a fraction of a second rounded up. A date
 * counts from the answer's own `Date`, else from `now`. Of several values the longest counts. Undefined where the
 * header is absent or cannot be read.
 */
export function readRetryAfterMs(headers: HttpHeaders, now: number): number | undefined {
  const waits = (headers['retry-after'] ?? [])
    .flatMap(membersOf)
    .flatMap((value) => readWaitMs(value, headers, now) ?? []);
  return waits.length === 0 ? undefined : Math.min(Math.max(...waits), LONGEST_RETRY_AFTER_MS);
}

function readWaitMs(value: string, headers: HttpHeaders, now: number): number | undefined {
  if (DELTA_SECONDS.test(value)) return Math.ceil(Number(value)) * 1000;
  const at = parseHttpDate(value);
  return at === undefined ? undefined : Math.max(at - (readServerDate(headers) ?? now), 0);
}

/** Numbers that a front end has folded into one line (RFC 9110 §5.3). A date has a comma of its own. */
function membersOf(line: string): readonly string[] {
  return /^[\d.]+(?:\s*,\s*[\d.]+)+$/.test(line) ? line.split(',').map((member) => member.trim()) : [line];
}

/** The value of a header, however often it is repeated; undefined where its values differ. */
function single(headers: HttpHeaders, name: string): string | undefined {
  const values = new Set(headers[name]);
  return values.size === 1 ? [...values][0] : undefined;
}
