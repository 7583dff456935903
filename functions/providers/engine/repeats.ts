/** Characters that percent-encoding, JSON and HTML leave as they are. */
const PLAIN = /^[\w.~-]*$/;
const ESCAPED = /[^\w.~-]+/;
const ASCII = /^\p{ASCII}*$/u;
/** Marks of a text in which others may be escaped. */
const MARKS = ['%', '\\', '&'];
const NAMED: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/**
 * Reports whether one of `texts` has a secret in it: as it is, or with any of its characters escaped as a URL, JSON or
 * HTML escapes them. Escapes of a secret that is not ASCII, as no token is, are not looked for.
 */
export function repeats(texts: readonly (string | Buffer)[], secret: string): boolean {
  if (texts.some((text) => text.includes(secret))) return true;
  if (PLAIN.test(secret) || !ASCII.test(secret)) return false;
  // To look for the longest part that is never escaped is quick, and rules out nearly every text without the secret.
  const part = secret.split(ESCAPED).reduce((longest, next) => (next.length > longest.length ? next : longest), '');
  const suspects = texts.filter((text) => text.includes(part) && MARKS.some((mark) => text.includes(mark)));
  if (suspects.length === 0) return false;
  const escaped = new RegExp([...secret].map(spellings).join(''));
  return suspects.some((text) => escaped.test(text.toString('latin1')));
}

/** All ways to write a character, as a regular expression. */
function spellings(character: string): string {
  const raw = RegExp.escape(character);
  if (PLAIN.test(character)) return raw;
  const code = character.charCodeAt(0);
  const hex = code
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const named = NAMED[character];
  const entities = [`#0*${code}`, `#[xX]0*${hex}`, ...(named === undefined ? [] : [named])];
  return `(?:\\\\?${raw}|%${hex}|\\\\u00${hex}|&(?:${entities.join('|')});)`;
}
