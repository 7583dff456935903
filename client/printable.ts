/** Changes of colour that this program writes itself, by `styleText`. */
const COLOURS = new Set(['1', '2', '22', '31', '32', '33', '36', '39'].map((code) => `\u001b[${code}m`));
/**
 * Control characters except line breaks and tabs, each with what follows it in a change of colour; and characters that
 * turn or break a line.
 */
const UNPRINTABLE = /(?![\n\t]|\r\n)\p{Cc}(?:\[[0-9]{1,2}m)?|[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/**
 * Makes a text safe to print: others may have written parts of it, and a terminal takes control characters for orders.
 * Writes them as escapes of JSON, so that JSON keeps its meaning. Keeps the colours that this program uses.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (found) =>
    COLOURS.has(found) ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}${found.slice(1)}`,
  );
}
