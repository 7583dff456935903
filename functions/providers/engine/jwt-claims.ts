import { isJsonObject, type JsonObject } from '../../core/words/json.ts';
import { parseJson } from './answer.ts';

/**
 * From here on a numeric date is in milliseconds. In seconds it is past the year 33,000, in milliseconds it is 2001;
 * the year 9999, which .NET writes for "never" (H13), is 2.5e11 seconds and stays seconds.
 */
const MILLISECONDS_FROM = 1e12;

/**
 * The claims of a JWT, unverified; undefined where there are none to read. Bytes that are no UTF-8 spoil the claim
 * they stand in and no other, since the vendor's own sample has them: a strict decoder, such as the one of jose,
 * refuses it whole.
 */
export function claimsOf(token: string): JsonObject | undefined {
  const parts = token.split('.');
  const [, payload] = parts;
  if (parts.length !== 3 || payload === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  return isJsonObject(claims) ? claims : undefined;
}

/** The `exp` claim in epoch milliseconds, given as number or digits; undefined where it is absent or neither (H12). */
export function expiryOf(claims: JsonObject | undefined): number | undefined {
  const exp = numberOf(claims?.['exp']);
  if (exp === undefined) return undefined;
  return exp >= MILLISECONDS_FROM ? exp : exp * 1000;
}

/** A finite number, or the one that a text of digits spells. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,16}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
