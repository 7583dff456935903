import type { Provider, SecretField } from '../../core/slot/provider.ts';
import { isJsonObject } from '../../core/words/json.ts';
import type { Secret } from '../../core/words/secret.ts';
import { parseJson } from './answer.ts';

const CONTROL_CHARACTER = /\p{Cc}/u;
/** Marks of a text that something was copied along with, mostly by mistake: the same as in the client. */
const COPIED_ALONG = [
  [/^\s|\s$/u, 'begins or ends with a blank'],
  [/^(["'`]).*\1$|^[“”„‘’‚«»‹›].*[“”‘’«»‹›]$/su, 'stands in quotation marks'],
  [/[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}/u, 'holds a character that cannot be seen'],
] as const;

/** The fields of a connection's secret, checked; or what is wrong with it, in words that hold nothing of it. */
export type Credential =
  | { readonly kind: 'credential'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'problem'; readonly problem: string };

/** Faults that any field of a secret can have, whatever the provider. */
export type FieldFault = 'missing' | 'not_text' | 'empty' | 'control_character' | 'unpaired_surrogate' | 'no_pem';

const faultInField: Readonly<Record<FieldFault, (field: string) => string>> = {
  missing: (field) => `has no ${field}`,
  not_text: (field) => `has a ${field} that is no text`,
  empty: (field) => `has an empty ${field}`,
  control_character: (field) => `has a control character in ${field}`,
  unpaired_surrogate: (field) => `has a broken character (an unpaired surrogate) in ${field}`,
  no_pem: (field) => `has no PEM in ${field}, from -----BEGIN to -----END`,
};

/**
 * Reads the JSON of a secret. Refuses a field that is missing, blank, no text, or has control characters or what the
 * provider rules out: a username with the separator in it would name another user (C4). Members that the provider does
 * not name are left alone, so that a key file can be put there as it was downloaded.
 */
export function readCredential({ secretFields }: Pick<Provider, 'secretFields'>, secret: Secret<string>): Credential {
  const declared = Object.entries(secretFields);
  const parsed = parseJson(secret.reveal());
  if (!isJsonObject(parsed)) {
    const names = declared.map(([name]) => `\`${name}\``).join(' and ');
    return { kind: 'problem', problem: `is not a JSON object with ${names}` };
  }
  const fields: [name: string, text: string][] = [];
  const problems: string[] = [];
  for (const [name, field] of declared) {
    const read = readField(parsed, name, field);
    if ('fault' in read) {
      if (read.fault !== 'missing' || field.optional !== true) problems.push(faultInField[read.fault](`\`${name}\``));
    } else if (field.without !== undefined && read.text.includes(field.without)) {
      problems.push(`has \`${field.without}\` in \`${name}\`, where it would separate two fields`);
    } else fields.push([name, read.text]);
  }
  if (problems.length > 0) return { kind: 'problem', problem: problems.join('; ') };
  return { kind: 'credential', fields: Object.fromEntries(fields) };
}

/** Reads one field of a secret: its text, PEM with its line breaks, or what is wrong with it. */
export function readField(
  secret: Readonly<Record<string, unknown>>,
  name: string,
  { kind }: Pick<SecretField, 'kind'> = {},
): { readonly text: string } | { readonly fault: FieldFault } {
  const value = Object.hasOwn(secret, name) ? secret[name] : undefined;
  if (value === undefined || value === null) return { fault: 'missing' };
  if (typeof value !== 'string') return { fault: 'not_text' };
  if (value.trim() === '') return { fault: 'empty' };
  if (kind === 'pem') {
    const pem = restorePem(value);
    return pem === undefined ? { fault: 'no_pem' } : { text: pem };
  }
  if (CONTROL_CHARACTER.test(value)) return { fault: 'control_character' };
  return value.isWellFormed() ? { text: value } : { fault: 'unpaired_surrogate' };
}

/**
 * Names what a server may misread in a credential, for the operator's log alone: it says something of the credential.
 */
export function findSuspects(
  { secretFields }: Pick<Provider, 'secretFields'>,
  fields: Readonly<Record<string, string>>,
): string | undefined {
  const found = Object.entries(secretFields).flatMap(([name, { suspect, kind }]) => {
    const value = fields[name] ?? '';
    if (suspect !== undefined && value.includes(suspect)) return [`\`${name}\` holds "${suspect}"`];
    if (kind === 'pem') return [];
    return COPIED_ALONG.flatMap(([pattern, words]) => (pattern.test(value) ? [`\`${name}\` ${words}`] : []));
  });
  if (found.length === 0) return undefined;
  return `The secret's ${found.join(', ')}. It is sent as it is, and some servers cut it there: should logins be refused, choose another.`;
}

/**
 * PEM (RFC 7468) with its line breaks, however they were lost on the way into the JSON: as `\n` written out, as blanks,
 * or altogether. Undefined where there is none.
 */
function restorePem(value: string): string | undefined {
  const text = value.replace(/\\r|\\n|\r/g, '\n');
  // With the headers of RFC 1421, which an encrypted key has: it stays as it is, and is named as one where it is used.
  if (/-----BEGIN [A-Z0-9 ]+-----\s*Proc-Type: *4, *ENCRYPTED/.test(text)) return text;
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g)];
  if (blocks.length === 0) return undefined;
  return blocks
    .map(([, label, body = '']) => {
      const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
      return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
    })
    .join('');
}
