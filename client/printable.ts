/** Changes of colour that this program writes itself, by `styleText`. */
const COLOURS = new Set(['1', '2', '22', '31', '32', '33', '36', '39'].map((code) => `\u001b[${code}m`));
/** Control characters but line breaks and tabs, with what may make a colour of one, and what turns or breaks a line. */
const UNPRINTABLE = /(?![\n\t]|\r\n)\p{Cc}(?:\[[0-9]{1,2}m)?|[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/**
 * Makes a text safe to print: others may have written parts of it, and a terminal takes control characters for orders.
 * They are written as escapes of JSON, so that JSON stays the same JSON. Colours of this program stay.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (found) =>
    COLOURS.has(found) ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}${found.slice(1)}`,
  );
}
