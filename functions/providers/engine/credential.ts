import { isJsonObject } from '../../core/words/json.ts';
import type { Secret } from '../../core/words/secret.ts';
import type { Provider } from '../provider.ts';
import { parseJson } from './answer.ts';

const CONTROL_CHARACTER = /\p{Cc}/u;

/** The fields of a connection's secret, checked; or what is wrong with it, in words that hold nothing of it. */
export type Credential =
  | { readonly kind: 'credential'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'problem'; readonly problem: string };

/** What can be wrong with any field of a secret, whatever the provider. */
export type FieldFault = 'missing' | 'not_text' | 'empty' | 'control_character' | 'unpaired_surrogate';

const faultInField: Readonly<Record<FieldFault, (field: string) => string>> = {
  missing: (field) => `has no ${field}`,
  not_text: (field) => `has a ${field} that is no text`,
  empty: (field) => `has an empty ${field}`,
  control_character: (field) => `has a control character in ${field}`,
  unpaired_surrogate: (field) => `has a broken character (an unpaired surrogate) in ${field}`,
};

/**
 * Reads the JSON of a secret. Refuses a field that is missing, blank, no text, or has control characters or what the
 * provider rules out: a username with the separator in it would name another user (C4).
 */
export function readCredential(provider: Provider, secret: Secret<string>): Credential {
  const declared = Object.entries(provider.secretFields);
  const parsed = parseJson(secret.reveal());
  if (!isJsonObject(parsed)) {
    const names = declared.map(([name]) => `\`${name}\``).join(' and ');
    return { kind: 'problem', problem: `is not a JSON object with ${names}` };
  }
  const fields: [name: string, text: string][] = [];
  const problems: string[] = [];
  for (const [name, { without }] of declared) {
    const read = readField(parsed, name);
    if ('fault' in read) problems.push(faultInField[read.fault](`\`${name}\``));
    else if (without !== undefined && read.text.includes(without)) {
      problems.push(`has \`${without}\` in \`${name}\`, where it would separate two fields`);
    } else fields.push([name, read.text]);
  }
  if (problems.length > 0) return { kind: 'problem', problem: problems.join('; ') };
  return { kind: 'credential', fields: Object.fromEntries(fields) };
}

/** Reads one field of a secret: its text, or what is wrong with it. */
export function readField(
  secret: Readonly<Record<string, unknown>>,
  name: string,
): { readonly text: string } | { readonly fault: FieldFault } {
  const value = Object.hasOwn(secret, name) ? secret[name] : undefined;
  if (value === undefined) return { fault: 'missing' };
  if (typeof value !== 'string') return { fault: 'not_text' };
  if (value.trim() === '') return { fault: 'empty' };
  if (CONTROL_CHARACTER.test(value)) return { fault: 'control_character' };
  return value.isWellFormed() ? { text: value } : { fault: 'unpaired_surrogate' };
}
