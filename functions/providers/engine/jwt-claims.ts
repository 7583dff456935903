import { isJsonObject, type JsonObject } from '../../core/words/json.ts';
import { parseJson } from './answer.ts';
import { parseDate, parseNumber, readNumericDate } from './dates.ts';

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
  return readNumericDate(number);
}
