import type { Source } from '../../core/slot/provider.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import type { ParsedAnswer } from './answer.ts';
import { forwardable } from './upstream-message.ts';

/** Texts that an answer must not give away. */
export interface Hidden {
  /** The names that stand for them. */
  readonly names: ReadonlyMap<string, string>;
  /** Texts of which no part may be quoted either. */
  readonly quotable: readonly string[];
}

const MOST_MEMBERS = 50;
const MOST_ELEMENTS = 5;
const DEEPEST = 8;
const LONGEST_WORD = 40;
/** Members whose values are secrets whatever they look like, but for facts about them, such as a type or an end. */
const SECRET_MEMBER =
  /token|secret|passw|pwd|key|session|sid|cookie|credential|assertion|jwt|ticket|nonce|otp|pin$|sign|saml|bearer|auth/i;
const FACT_MEMBER = /type|expire|expiry|seconds|ttl|scope|status|error|author(?!iz)/i;
/** Headers of an answer whose values say how it is to be read; others are shown by shape. */
const PLAIN_HEADERS = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'date', 'retry-after', 'cache-control', 'server', 'via'],
  ...['www-authenticate', 'allow', 'vary', 'expires', 'connection', 'transfer-encoding', 'pragma', 'age'],
]);
const PLAIN_ATTRIBUTES = /^(?:max-age|expires|secure|httponly|samesite|path)$/i;

/** The answer's body: its JSON, or the JSON of its XML, with words that are plain; every other text by its shape. */
export function showBody({ content, text }: ParsedAnswer, hidden: Hidden): JsonValue {
  const name = hidden.names.get(text.trim());
  if (name !== undefined) return `{${name}}`;
  // A text that is all of an answer may be a token that nothing has read.
  if (typeof content === 'string') return nameIn(content, hidden) ?? describe(content);
  if (content !== undefined) return showValue(content, '', hidden, 0);
  return text === '' ? '' : describe(text);
}

/** The answer's headers: the values of those that say how it is to be read, and the names of cookies. */
export function showHeaders({ headers }: ParsedAnswer, hidden: Hidden): Record<string, readonly string[]> {
  const shown = Object.entries(headers).map(([name, values = []]) => {
    if (name === 'set-cookie') return [name, values.map((line) => showCookie(line, hidden))] as const;
    const show = (value: string) =>
      PLAIN_HEADERS.has(name) ? showText(value, hidden) : (nameIn(value, hidden) ?? describe(value));
    return [showMember(name, hidden), values.map(show)] as const;
  });
  return Object.fromEntries(shown);
}

/** A place in an answer, in words. */
export function describeSource(source: Source): string {
  if (source.in === 'body') return `body ${source.path.join('.')}`.trimEnd();
  return 'name' in source ? `${source.in} ${source.name}` : source.in;
}

function showValue(value: JsonValue, member: string, hidden: Hidden, depth: number): JsonValue {
  if (typeof value === 'object' && value !== null && depth >= DEEPEST) return Array.isArray(value) ? 'list' : 'object';
  if (Array.isArray(value)) {
    const shown = value.slice(0, MOST_ELEMENTS).map((each) => showValue(each, member, hidden, depth + 1));
    return value.length > MOST_ELEMENTS ? [...shown, `${value.length - MOST_ELEMENTS} more`] : shown;
  }
  if (isJsonObject(value)) {
    const members = Object.entries(value);
    const shown = members.slice(0, MOST_MEMBERS).map(([name, each]) => {
      const within = isSecretMember(member) ? `${member}.${name}` : name;
      return [showMember(name, hidden), showValue(each, within, hidden, depth + 1)];
    });
    const left = members.length - MOST_MEMBERS;
    return Object.fromEntries(left > 0 ? [...shown, [`${left} more`, '']] : shown);
  }
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  if (value === '') return value;
  const name = nameIn(String(value), hidden);
  if (name !== undefined) return name;
  if (isSecretMember(member)) return describe(value);
  const text = showText(String(value), hidden);
  return typeof value === 'number' ? (text === String(value) ? value : describe(value)) : text;
}

function isSecretMember(member: string): boolean {
  return member.split('.').some((name) => SECRET_MEMBER.test(name) && !FACT_MEMBER.test(name));
}

function showMember(name: string, hidden: Hidden): string {
  return showText(name, hidden);
}

function nameIn(text: string, { names }: Hidden): string | undefined {
  const name = names.get(text);
  return name === undefined ? undefined : `{${name}}`;
}

/** Words of an upstream as they are, if they are plain and quote nothing; else their shape. */
function showText(text: string, hidden: Hidden): string {
  const name = nameIn(text, hidden);
  if (name !== undefined) return name;
  const isShown = text.trim().split(/\s+/).every(isPlainWord) && forwardable(text, hidden.quotable) !== undefined;
  return isShown ? text : describe(text);
}

/** Reports whether a word is of a language, a number, a date or a code, rather than opaque. */
function isPlainWord(word: string): boolean {
  const bare = word.replace(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, '');
  if (bare === '') return word.length < 4;
  if (/^\d{1,13}(?:[.,:/-]\d{1,9}){0,5}$/.test(bare)) return bare.length <= 20;
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]{4,16}(?:Z|[+-]\d{2}:?\d{2})?$/.test(bare)) return true;
  return bare.length <= LONGEST_WORD && bare.split(/[\p{P}\p{S}]+/u).every(isPlainPart);
}

/** Letters with few changes of case, at most four digits among them. */
function isPlainPart(part: string): boolean {
  if (!/^[\p{L}\d]{0,24}$/u.test(part)) return false;
  const digits = part.match(/\d/g)?.length ?? 0;
  const turns = part.match(/\p{Ll}(?=\p{Lu})|\d(?=\p{L})|\p{L}(?=\d)/gu)?.length ?? 0;
  return digits <= 4 && turns <= Math.max(2, Math.floor(part.length / 4));
}

function showCookie(line: string, hidden: Hidden): string {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const at = pair.indexOf('=');
  const name = showMember(at < 0 ? pair : pair.slice(0, at), hidden);
  const value = at < 0 ? '' : pair.slice(at + 1);
  const shown = attributes.flatMap((attribute) => {
    const [key = '', given] = attribute.split('=');
    if (!PLAIN_ATTRIBUTES.test(key)) return [];
    return [given === undefined ? key : `${key}=${showText(given, hidden)}`];
  });
  return [`${name}=${value === '' ? '' : (nameIn(value, hidden) ?? describe(value))}`, ...shown].join('; ');
}

/** The shape of a text or number that is not shown. */
function describe(value: string | number): string {
  if (typeof value === 'number') return 'number';
  const length = `of ${value.length} characters`;
  if (/^[\w-]{4,}\.[\w-]{4,}\.[\w-]*$/.test(value)) return `JWT ${length}`;
  if (/^\s*<(?:!doctype html|html)/i.test(value)) return `HTML ${length}`;
  return /^https?:\/\//i.test(value) ? `URL ${length}` : `text ${length}`;
}
