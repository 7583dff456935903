import type { Provider, Source, Step } from '../../core/slot/provider.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import type { HttpHeaders, HttpResponse } from '../../http/port.ts';
import { decodeText } from '../../http/text.ts';
import { readServerDate } from './answer-clock.ts';
import type { Cookie } from './cookies.ts';

const BYTE_ORDER_MARK = '\uFEFF';
/** A number that may lose digits: it holds all up to 9007199254740991. Only then is a value looked at one by one. */
const LONG_NUMBER = /(?:^|[:[,])\s*-?\d{16}/;
/** Printable ASCII with no white space at either end: what a header carries unchanged. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** An answer, read as far as it can be. */
export interface ParsedAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Form in which the step expects the body. */
  readonly form: 'JSON' | 'XML';
  /** The body as JSON, or as the JSON of its XML; undefined where it is not in that form. */
  readonly content: JsonValue | undefined;
  readonly text: string;
  /** Time of receipt; epoch milliseconds. */
  readonly receivedAt: number;
}

/** Reads an answer in the form that its step declares. */
export async function parseAnswer(
  response: HttpResponse,
  { answer = 'json' }: Pick<Step, 'answer'>,
  receivedAt: number,
): Promise<ParsedAnswer> {
  const { status, headers } = response;
  const text = decodeText(response);
  // Load the parser only for an XML answer, as that of cookies: no other provider needs it.
  const isXml = answer === 'xml';
  const content = isXml ? (await import('./xml.ts')).parseXml(text) : parseJson(text);
  return { status, headers, form: isXml ? 'XML' : 'JSON', content, text, receivedAt };
}

/** Reports whether an answer has no body, or white space alone. */
export function isEmpty({ text }: Pick<ParsedAnswer, 'text'>): boolean {
  return text.trim() === '';
}

/** Reports whether an answer says when to come back. */
export function asksToWait({ headers }: Pick<ParsedAnswer, 'headers'>): boolean {
  return headers['retry-after'] !== undefined;
}

/** Describes an answer as evidence: its status and the kind of its body, as in "the status 401 without a body". */
export function describeStatus(answer: ParsedAnswer): string {
  const { status, form, content } = answer;
  const body = isEmpty(answer)
    ? 'without a body'
    : content === undefined
      ? `with a body that is no ${form}`
      : `with ${form} of its own shape`;
  return `the status ${status} ${body}${asksToWait(answer) ? ' and with Retry-After' : ''}`;
}

/**
 * Parses JSON whatever it is labelled; undefined where it is none. A byte order mark is skipped. A whole number that
 * would lose digits is the text of its digits: an id that is read goes into the next request.
 */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const json = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    const parsed: JsonValue = LONG_NUMBER.test(json) ? JSON.parse(json, keepDigits) : JSON.parse(json);
    return parsed;
  } catch {
    return undefined;
  }
}

function keepDigits(_: string, value: JsonValue, { source }: { readonly source?: string } = {}): JsonValue {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(source) ? source : value;
}

/**
 * The value under a path of members and places in lists, or undefined. In XML one element is a list of one: nothing
 * tells whether there could be more.
 */
export function valueAt(
  value: JsonValue | undefined,
  path: readonly (string | number)[],
  form: ParsedAnswer['form'] = 'JSON',
): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, member) => {
    if (typeof member === 'number') {
      const list = form === 'XML' && at !== undefined && !Array.isArray(at) ? [at] : at;
      return Array.isArray(list) ? list.at(member) : undefined;
    }
    return isJsonObject(at) && Object.hasOwn(at, member) ? at[member] : undefined;
  }, value);
}

/**
 * The object that holds what is read: what lies in the envelope if the first of the paths is there, else the answer
 * (C5).
 */
export function openEnvelope(
  { envelope }: Pick<Provider, 'envelope'>,
  { content, form }: Pick<ParsedAnswer, 'content' | 'form'>,
  path: readonly (string | number)[],
): JsonValue | undefined {
  if (envelope === undefined) return content;
  const enveloped = valueAt(content, [envelope]);
  return valueAt(enveloped, path, form) === undefined ? content : enveloped;
}

/** The result of reading a value from an answer. */
export type Reading =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly why: string };

/** Reads a value of an answer. Never trims or parses a text in JSON (C11). */
export async function readValue(
  source: Source,
  answer: ParsedAnswer,
  provider: Pick<Provider, 'envelope'>,
): Promise<Reading> {
  switch (source.in) {
    case 'body':
      return present(valueAt(openEnvelope(provider, answer, source.path), source.path, answer.form));
    case 'header':
      return readHeader(answer.headers, source.name);
    case 'text':
      return readText(answer.text.trim());
    case 'cookie':
      return present((await readCookies(answer)).find(({ name }) => name === source.name)?.value);
    case 'cookies': {
      const cookies = await readCookies(answer);
      return present(
        cookies.length === 0 ? undefined : cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      );
    }
  }
}

/** The token of an answer that slides, from a header (C14, C16). */
export function readHeader(headers: HttpHeaders, name: string): Reading {
  // Repetitions of one value are one value; two different values leave open which is current (C16). A front end may
  // have folded repeated lines into one (RFC 9110 §5.3): a token in a header holds no comma.
  const values = new Set(headers[name.toLowerCase()]?.flatMap(membersOf));
  if (values.size === 0) return { kind: 'missing' };
  if (values.size > 1) return { kind: 'unusable', why: 'comes with conflicting values' };
  const [value = ''] = values;
  return { kind: 'value', value };
}

/** Reports whether a text can be sent as a header's value as it is. */
export function isHeaderSafe(text: string): boolean {
  return HEADER_SAFE.test(text);
}

function present(value: JsonValue | undefined): Reading {
  return value === undefined || value === null ? { kind: 'missing' } : { kind: 'value', value };
}

function readText(text: string): Reading {
  if (text === '') return { kind: 'missing' };
  const isDocument = /^[<{["]/.test(text) || /\s/.test(text);
  return isDocument ? { kind: 'unusable', why: 'is a document' } : { kind: 'value', value: text };
}

/** The members of a list, without the white space around them (RFC 9110 §5.6.1); what is no list as it is. */
function membersOf(line: string): readonly string[] {
  return line.includes(',') ? line.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, '')) : [line];
}

async function readCookies(answer: ParsedAnswer): Promise<readonly Cookie[]> {
  const lines = answer.headers['set-cookie'];
  if (lines === undefined) return [];
  const { parseCookies } = await import('./cookies.ts');
  return parseCookies(lines, readServerDate(answer.headers) ?? answer.receivedAt);
}
