import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import type { HttpHeaders, HttpResponse } from '../../http/port.ts';
import type { Provider, TokenSource } from '../provider.ts';

const BYTE_ORDER_MARK = '\uFEFF';
/** Printable ASCII with no white space at either end: what a header carries unchanged. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
/** Longer than this no server's header buffers would take back. */
const LONGEST_TOKEN = 8_192;

/** Why an empty token is unusable. */
export const EMPTY_TOKEN = 'is empty';

/** What an answer had in the place of its token. */
export type TokenReading =
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly why: string };

/** Parses JSON whatever it is labelled; undefined where it is none. A byte order mark is skipped. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const parsed: JsonValue = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
    return parsed;
  } catch {
    return undefined;
  }
}

/** The value under a path of members, or undefined. */
export function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (at, member) => (isJsonObject(at) && Object.hasOwn(at, member) ? at[member] : undefined),
    value,
  );
}

/** The object that holds token and attributes: what lies in the envelope if the token is there, else the answer (C5). */
export function contentOf(provider: Provider, answer: JsonValue | undefined): JsonValue | undefined {
  if (provider.envelope === undefined || provider.tokenAt.in !== 'body') return answer;
  const enveloped = valueAt(answer, [provider.envelope]);
  return valueAt(enveloped, provider.tokenAt.path) === undefined ? answer : enveloped;
}

/** Reports whether an answer has a text by the token's name after all, in other letters or another envelope. */
export function hasTokenLike(
  { tokenAt, envelope }: { readonly tokenAt: TokenSource; readonly envelope?: string | undefined },
  answer: JsonValue | undefined,
): boolean {
  const name = tokenAt.in === 'body' ? tokenAt.path.at(-1)?.toLowerCase() : undefined;
  if (name === undefined || !isJsonObject(answer)) return false;
  return Object.entries(answer).some(([member, value]) =>
    member.toLowerCase() === envelope?.toLowerCase() && isJsonObject(value)
      ? hasTokenLike({ tokenAt, envelope: undefined }, value)
      : member.toLowerCase() === name && typeof value === 'string' && value !== '',
  );
}

/** Reads the token of an answer; `content` is its JSON, see `contentOf`. Never trims or parses a token in JSON (C11). */
export function readToken(source: TokenSource, response: HttpResponse, content: JsonValue | undefined): TokenReading {
  switch (source.in) {
    case 'body':
      return tokenFromValue(valueAt(content, source.path));
    case 'text':
      return tokenFromText(response.body.toString('utf8').trim());
    case 'header':
      return tokenFromHeader(response.headers, source.name);
  }
}

/** Reports whether a text can be sent as a header's value as it is. */
export function isHeaderSafe(text: string): boolean {
  return HEADER_SAFE.test(text);
}

function tokenFromValue(value: JsonValue | undefined): TokenReading {
  if (value === undefined || value === null) return { kind: 'missing' };
  if (typeof value !== 'string') return { kind: 'unusable', why: 'is no text' };
  return checked(value);
}

function tokenFromText(text: string): TokenReading {
  if (text === '') return { kind: 'missing' };
  const isDocument = /^[<{["]/.test(text) || /\s/.test(text);
  return isDocument ? { kind: 'unusable', why: 'is a document' } : checked(text);
}

/**
 * Repetitions of one value are one value; two different values leave open which is current (C16). A front end may
 * have folded repeated lines into one (RFC 9110 §5.3): a token in a header holds no comma.
 */
function tokenFromHeader(headers: HttpHeaders, name: string): TokenReading {
  const values = new Set(headers[name.toLowerCase()]?.flatMap(membersOf));
  if (values.size === 0) return { kind: 'missing' };
  if (values.size > 1) return { kind: 'unusable', why: 'comes with conflicting values' };
  const [value = ''] = values;
  return checked(value);
}

/** The members of a list, without the white space around them (RFC 9110 §5.6.1); what is no list as it is. */
function membersOf(line: string): readonly string[] {
  return line.includes(',') ? line.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, '')) : [line];
}

function checked(value: string): TokenReading {
  if (value === '') return { kind: 'unusable', why: EMPTY_TOKEN };
  if (!isHeaderSafe(value)) return { kind: 'unusable', why: 'has characters that no header may carry' };
  if (value.length > LONGEST_TOKEN) return { kind: 'unusable', why: `is longer than ${LONGEST_TOKEN} characters` };
  return { kind: 'token', value };
}
