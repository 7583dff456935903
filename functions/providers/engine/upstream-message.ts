import type { JsonValue } from '../../core/words/json.ts';

const LONGEST_MESSAGE = 200;
/** A run of a credential this long gives it away. */
const TELLING_RUN = 8;
const LOOKS_LIKE_TOKEN = /[\w+/=.-]{40,}/;
/** Percent-encoding, a reference of HTML, an escape of JSON: withheld whole, so that nothing need be decoded. */
const LOOKS_ENCODED = /%\w|&[#\w]|\\/;

/**
 * An upstream's own words, fit to be passed on: one line of at most 200 characters, without control characters, that
 * holds nothing encoded and quotes nothing of the credential, be it in hex or base64 (C12). Undefined otherwise.
 */
export function forwardable(message: JsonValue | undefined, credentialTexts: readonly string[]): string | undefined {
  if (typeof message !== 'string') return undefined;
  const line = message.replace(/[\p{C}\s]+/gu, ' ').trim();
  if (line === '' || line.length > LONGEST_MESSAGE || LOOKS_LIKE_TOKEN.test(line)) return undefined;
  return LOOKS_ENCODED.test(line) || quotesAny(message, credentialTexts) ? undefined : line;
}

function quotesAny(message: string, credentialTexts: readonly string[]): boolean {
  // In a form a `+` is a space.
  const readings = [message, message.replaceAll('+', ' ')].map(squash);
  // A server that splits at the wrong separator quotes a part alone.
  const parts = credentialTexts.flatMap((text) => [text, ...text.split('|')]).filter((text) => text !== '');
  const forms = parts.flatMap((text) => [text, Buffer.from(text).toString('hex'), ...base64Forms(text)]).map(squash);
  return forms.some((form) => readings.some((reading) => sharesRun(reading, form)));
}

/**
 * Removes white space, control characters and differences of form, so that the layout of a quotation does not matter.
 * Gives upper case, since the lower case of a sigma depends on what follows it.
 */
function squash(text: string): string {
  const bare = text
    .replace(/[\p{C}\s]/gu, '')
    .normalize('NFKD')
    .toUpperCase()
    .normalize('NFKD');
  return bare.replace(/[\p{C}\s]/gu, '');
}

/** The base64 of `text` inside any longer text, in both alphabets and for each of the three alignments. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const forms = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const telling = forms.filter((form) => form.length > 1);
  return telling.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function sharesRun(text: string, sought: string): boolean {
  if (sought === '') return false;
  if (sought.length <= TELLING_RUN) return text.includes(sought);
  for (let from = 0; from + TELLING_RUN <= sought.length; from += 1) {
    if (text.includes(sought.slice(from, from + TELLING_RUN))) return true;
  }
  return false;
}
