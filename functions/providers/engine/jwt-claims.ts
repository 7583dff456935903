import { isJsonObject, type JsonObject } from '../../core/words/json.ts';
import { parseJson } from './answer.ts';

/**
 * From here on a numeric date is in milliseconds. In seconds it is past the year 33,000, in milliseconds it is 2001;
 * the year 9999, which .NET writes for "never" (H13), is 2.5e11 seconds and stays seconds.
 */
const MILLISECONDS_FROM = 1e12;
const MICROSECONDS_FROM = 1e15;
const ISO_DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;
const HAS_ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/i;
/** The three forms of RFC 9110 §5.6.7; `Date.parse` alone takes almost anything for a date. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];
const LONGEST_DATE = 64;

/**
 * The claims of a JWT, unverified; undefined where there are none to read. Bytes that are no UTF-8 spoil the claim
 * they stand in and no other, since the vendor's own sample has them: a strict decoder, such as the one of jose,
 * refuses it whole.
 */
export function readClaims(token: string): JsonObject | undefined {
  const parts = token.split('.');
  const [, payload] = parts;
  if (parts.length !== 3 || payload === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  return isJsonObject(claims) ? claims : undefined;
}

/**
 * The `exp` claim in epoch milliseconds, given as a number, digits or a date in ISO 8601, in seconds or finer units;
 * undefined where it is absent, none of these, or not after 1970 (H12).
 */
export function readExpiry(claims: JsonObject | undefined): number | undefined {
  const exp = claims?.['exp'];
  const text = typeof exp === 'string' ? exp.trim() : exp;
  const number = parseNumber(text);
  if (number === undefined) return typeof text === 'string' ? parseDate(text) : undefined;
  if (number <= 0) return undefined;
  if (number < MILLISECONDS_FROM) return number * 1000;
  return number < MICROSECONDS_FROM ? number : number / 1000;
}

/** ISO 8601, or the dates of RFC 9110 §5.6.7, in epoch milliseconds. Without a zone a date is taken as UTC. */
export function parseDate(text: string): number | undefined {
  if (text.length > LONGEST_DATE) return undefined;
  const at = ISO_DATE_TIME.test(text) ? parseIso(text) : parseHttpDate(text);
  return Number.isNaN(at) ? undefined : at;
}

function parseIso(text: string): number {
  const zoned = text.replace(/ ?(?:UTC|GMT)$/, 'Z');
  return Date.parse(HAS_ZONE.test(zoned) ? zoned : `${zoned.replace(' ', 'T')}Z`);
}

function parseHttpDate(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}

/** A finite number, or the one that a text of digits spells. */
export function parseNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,16}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
