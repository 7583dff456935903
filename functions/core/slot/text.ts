import type { Text } from './provider.ts';

/** Values by name. An absent one is undefined or not there. */
export type Values = Readonly<Record<string, string | undefined>>;

const NAME_OR_BRACE = /\{\{|\{(\w+)\}/g;

/** Lists the names that a text refers to. */
export function namesIn(text: Text): readonly string[] {
  return [...text.matchAll(NAME_OR_BRACE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** Fills in a text, each value encoded by `encode`; returns undefined if a value that it names is absent. */
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

/** Fills in the texts of members, and leaves out those that name an absent value. */
export function fillMembers(members: Readonly<Record<string, Text>> = {}, values: Values): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const [name, text] of Object.entries(members)) {
    const value = fillText(text, values);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}
