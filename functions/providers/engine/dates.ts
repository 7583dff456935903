/**
 * From here on a numeric date is in milliseconds. In seconds it is past the year 33,000, in milliseconds it is 2001;
 * the year 9999, which .NET writes for "never" (H13), is 2.5e11 seconds and stays seconds.
 */
const MILLISECONDS_FROM = 1e12;
const MICROSECONDS_FROM = 1e15;
const NANOSECONDS_FROM = 1e18;
const ISO_DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/i;
const HAS_ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/;
/** The name of a zone behind its offset, which Java writes (RFC 9557 §3.1). */
const ZONE_NAME = /\[[\w/+-]+\]$/;
/** The three forms of RFC 9110 §5.6.7; `Date.parse` alone takes almost anything for a date. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];
const LONGEST_DATE = 64;

/** ISO 8601, or the dates of RFC 9110 §5.6.7, in epoch milliseconds. Without a zone a date is taken as UTC. */
export function parseDate(text: string): number | undefined {
  if (text.length > LONGEST_DATE) return undefined;
  if (!ISO_DATE_TIME.test(text)) return parseHttpDate(text);
  const zoned = text
    .toUpperCase()
    .replace(ZONE_NAME, '')
    .replace(/ ?(?:UTC|GMT)$/, 'Z')
    // A whole hour, as PostgreSQL writes an offset.
    .replace(/(:\d{2}(?:\.\d+)?[+-]\d{2})$/, '$1:00');
  return finite(Date.parse(HAS_ZONE.test(zoned) ? zoned : `${zoned.replace(' ', 'T')}Z`));
}

/** A date of RFC 9110 §5.6.7, in any of its three forms, in epoch milliseconds. */
export function parseHttpDate(text: string): number | undefined {
  if (!HTTP_DATES.some((form) => form.test(text))) return undefined;
  return finite(Date.parse(text.endsWith('GMT') ? text : `${text} GMT`));
}

/** A numeric date in epoch milliseconds, given in seconds or finer units; undefined where it is not after 1970. */
export function readNumericDate(number: number): number | undefined {
  if (number <= 0) return undefined;
  if (number < MILLISECONDS_FROM) return number * 1000;
  if (number < MICROSECONDS_FROM) return number;
  return number < NANOSECONDS_FROM ? number / 1000 : number / 1_000_000;
}

/** A finite number, or the one that a text of digits spells, with as many decimals as a number has in JSON. */
export function parseNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,19}(\.\d{1,19})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function finite(at: number): number | undefined {
  return Number.isNaN(at) ? undefined : at;
}
