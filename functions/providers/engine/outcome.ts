import type { UpstreamOutcome } from '../../core/mint/upstream.ts';
import { isBearer } from '../../core/slot/placement.ts';
import type { Attribute, Placement, Provider } from '../../core/slot/provider.ts';
import type { JsonObject, JsonValue } from '../../core/words/json.ts';
import type { HttpResponse } from '../../http/port.ts';
import { isHeaderSafe, openEnvelope, type ParsedAnswer, type Reading, valueAt } from './answer.ts';
import { readRetryAfterMs } from './answer-clock.ts';
import { readClaims } from './jwt-claims.ts';
import { readBoundType } from './oauth-error.ts';

/** Longest token in characters. A longer one would fit no server's header buffers. */
const LONGEST_TOKEN = 16_384;
/** Texts that a server writes where it has no token. */
const NO_TOKEN = /^(?:null|undefined|none|nil|nan)$/i;

/**
 * The outcome of an answer with the wait that its `Retry-After` asks for, whatever the failure. A credential that was
 * refused waits for another version of the secret alone: the header would keep that one waiting too.
 */
export function heedRetryAfter<Outcome extends UpstreamOutcome>(
  outcome: Outcome,
  { headers }: Pick<HttpResponse, 'headers'>,
  now: number,
): Outcome {
  if (outcome.kind === 'token' || outcome.backOff === 'refused') return outcome;
  const retryAfterMs = readRetryAfterMs(headers, now);
  return retryAfterMs === undefined ? outcome : { ...outcome, retryAfterMs };
}

/** A reading of a token that can be used, or why it cannot. */
export type TokenReading =
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'missing' | 'empty' }
  | { readonly kind: 'unusable'; readonly why: string };

/**
 * Checks that what an answer has in the place of its token can be sent as one, where the provider places it. `content`
 * is what else the answer says.
 */
export function checkToken(reading: Reading, placement: Placement, content?: JsonValue): TokenReading {
  if (reading.kind !== 'value') return reading;
  const { value } = reading;
  if (typeof value !== 'string') return { kind: 'unusable', why: 'is no text' };
  if (value === '') return { kind: 'empty' };
  if (NO_TOKEN.test(value)) return { kind: 'unusable', why: 'is a word for no value, such as `null`' };
  if (!isHeaderSafe(value)) return { kind: 'unusable', why: 'has characters that no header may carry' };
  if (value.length > LONGEST_TOKEN) return { kind: 'unusable', why: `is longer than ${LONGEST_TOKEN} characters` };
  const boundType = isBearer(placement) ? readBoundType(content) : undefined;
  if (boundType !== undefined) {
    const why = `is of the type ${boundType}, which works with a proof of a key alone: have this client issued bearer tokens`;
    return { kind: 'unusable', why };
  }
  // RFC 6750 §2.1 has fewer characters still, but Salesforce's tokens have `!` and Marketo's `:`.
  if (isBearer(placement) && /[ "']/.test(value)) {
    return { kind: 'unusable', why: 'has characters that no bearer token has: a scheme, a blank or quotation marks' };
  }
  return { kind: 'token', value };
}

/** Reports whether a token says that it is of another subject than the one asked for (H10). */
export function belongsToOther(token: string, { ownerClaim }: Provider, subject: string): boolean {
  const owner = ownerClaim === undefined ? undefined : readClaims(token)?.[ownerClaim];
  const isStated = owner !== undefined && owner !== null;
  // Compared as texts: two long numbers may be one when they are read as numbers.
  return isStated && (typeof owner === 'number' ? String(owner) : owner) !== subject;
}

/**
 * Reads the attributes that a login answered beside the token, under the names that callers see, with `asOf`: the time
 * of the login, ISO 8601 to the second (C6–C11). A member that is absent or of another type is null. Empty where the
 * provider declares none.
 */
export function readAttributes(provider: Provider, answer: ParsedAnswer, requestStartedAt: number): JsonObject {
  if (provider.attributes === undefined) return {};
  const read = Object.entries(provider.attributes).map(([name, attribute]) => [
    name,
    readAttribute(attribute, openEnvelope(provider, answer, tokenPathOf(provider))),
  ]);
  return { ...Object.fromEntries(read), asOf: `${new Date(requestStartedAt).toISOString().slice(0, 19)}Z` };
}

function tokenPathOf({ logins }: Provider): readonly (string | number)[] {
  const source = logins.system?.findLast(({ reads }) => reads?.['token'] !== undefined)?.reads?.['token'];
  return source?.in === 'body' ? source.path : [];
}

function readAttribute(attribute: Attribute, content: JsonValue | undefined): JsonValue {
  const value = valueAt(content, [attribute.member]);
  if ('names' in attribute) return nameOf(attribute.names, value);
  return typeof value === attribute.type && value !== undefined ? value : null;
}

/** Compares by equality alone: a number between two known ones is neither of them (C7). */
function nameOf(names: Readonly<Record<number, string>>, value: JsonValue | undefined): string {
  return (typeof value === 'number' && Object.hasOwn(names, value) ? names[value] : undefined) ?? 'unknown';
}
