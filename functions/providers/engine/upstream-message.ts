import type { JsonValue } from '../../core/words/json.ts';

const LONGEST_MESSAGE = 200;
/** A run of a credential this long gives it away. */
const TELLING_RUN = 8;
const LOOKS_LIKE_TOKEN = /[\w+/=.-]{40,}/;
const DECODING_ROUNDS = 3;

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['vert', '|'],
  ['verbar', '|'],
]);

/**
 * An upstream's own words, fit to be passed on: one line of at most 200 characters, without control characters, that
 * quotes nothing of the credential, as it is or percent-, form-, HTML- or base64-encoded (C12). Undefined otherwise.
 */
export function forwardable(message: JsonValue | undefined, credentialTexts: readonly string[]): string | undefined {
  if (typeof message !== 'string') return undefined;
  const line = message.replace(/[\p{C}\s]+/gu, ' ').trim();
  const isBounded = line !== '' && line.length <= LONGEST_MESSAGE;
  if (!isBounded || LOOKS_LIKE_TOKEN.test(line) || quotesAny(message, credentialTexts)) return undefined;
  return line;
}

/** Reports whether an upstream's words say that the account is locked. */
export function saysLocked(message: JsonValue | undefined): boolean {
  return typeof message === 'string' && /\blocked\b|\block(?:ed)?[ -]?out\b/i.test(message);
}

function quotesAny(message: string, credentialTexts: readonly string[]): boolean {
  const readings = readingsOf(message);
  const base64Reading = squash(base64Alphabet(message));
  // A server that splits at the wrong separator quotes a part alone.
  const parts = credentialTexts.flatMap((text) => [text, ...text.split('|')]).filter((text) => text !== '');
  return parts.some(
    (text) =>
      readings.some((reading) => sharesRun(reading, squash(text))) ||
      readings.some((reading) => reading.includes(Buffer.from(text).toString('hex'))) ||
      base64Forms(text).some((form) => sharesRun(base64Reading, form)),
  );
}

/** The message as it is, and as it reads after each round of decoding, a `+` being itself or a space. */
function readingsOf(message: string): readonly string[] {
  let readings = new Set([message]);
  for (let round = 0; round < DECODING_ROUNDS; round += 1) {
    readings = new Set(
      [...readings].flatMap((reading) => [reading, decodeOnce(reading), decodeOnce(reading.replaceAll('+', ' '))]),
    );
  }
  return [...readings].map(squash);
}

function decodeOnce(text: string): string {
  return text
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .replace(/(?:%|\\)u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&#x([0-9a-f]{1,6});?/gi, (whole, hex: string) => character(Number.parseInt(hex, 16)) ?? whole)
    .replace(/&#(\d{1,7});?/g, (whole, digits: string) => character(Number(digits)) ?? whole)
    .replace(/&([a-z]+);/gi, (whole, name: string) => entities.get(name.toLowerCase()) ?? whole)
    .replace(/\\(["'\\/])/g, '$1');
}

function character(codePoint: number): string | undefined {
  return codePoint <= 0x10_ff_ff ? String.fromCodePoint(codePoint) : undefined;
}

/** Without case, white space, control characters and differences of form: however a quotation was laid out. */
function squash(text: string): string {
  const bare = text
    .replace(/[\p{C}\s]/gu, '')
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD');
  return bare.replace(/[\p{C}\s]/gu, '');
}

/** What the base64 of any text that contains `text` must contain, for each of the three alignments. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2]
    .map((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
      const firstWhole = Math.ceil((shift * 8) / 6);
      const wholeUntil = Math.floor(((shift + bytes.length) * 8) / 6);
      return encoded.slice(firstWhole, wholeUntil).toLowerCase();
    })
    .filter((form) => form.length > 1);
}

function base64Alphabet(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}

function sharesRun(text: string, sought: string): boolean {
  if (sought === '') return false;
  if (sought.length <= TELLING_RUN) return text.includes(sought);
  for (let from = 0; from + TELLING_RUN <= sought.length; from += 1) {
    if (text.includes(sought.slice(from, from + TELLING_RUN))) return true;
  }
  return false;
}
