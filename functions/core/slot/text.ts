import type { Text } from './provider.ts';

/** Values by name. An absent one is undefined or not there. */
export type Values = Readonly<Record<string, string | undefined>>;

const NAME_OR_BRACE = /\{\{|\{(\w+)\}/g;

/** The names that a text fills in. */
export function namesIn(text: Text): readonly string[] {
  return [...text.matchAll(NAME_OR_BRACE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** A text with its values, each encoded by `encode`; undefined where a value that it names is absent. */
export function fillText(
  text: Text,
  values: Values,
  encode: (value: string, name: string) => string = (value) => value,
): string | undefined {
  let isAbsent = false;
  const filled = text.replace(NAME_OR_BRACE, (_, name: string | undefined) => {
    if (name === undefined) return '{';
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) isAbsent = true;
    return value === undefined ? '' : encode(value, name);
  });
  return isAbsent ? undefined : filled;
}

/** Members whose texts are filled in; those that name an absent value are left out. */
export function fillMembers(members: Readonly<Record<string, Text>> = {}, values: Values): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const [name, text] of Object.entries(members)) {
    const value = fillText(text, values);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}
