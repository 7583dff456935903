import { isJsonObject, type JsonObject } from '../../core/words/json.ts';
import type { Secret } from '../../core/words/secret.ts';
import type { Provider, SecretField } from '../provider.ts';
import { parseJson } from './answer.ts';

const CONTROL_CHARACTER = /\p{Cc}/u;

/** The fields of a connection's secret, checked; or what is wrong with it, in words that hold nothing of it. */
export type Credential =
  | { readonly kind: 'credential'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'problem'; readonly problem: string };

/**
 * Reads the JSON of a secret. Refuses a field that is missing, blank, no text, or has control characters or what the
 * provider rules out: a username with the separator in it would name another user (C4).
 */
export function readCredential(provider: Provider, secret: Secret<string>): Credential {
  const names = Object.keys(provider.secretFields);
  const parsed = parseJson(secret.reveal());
  if (!isJsonObject(parsed)) {
    return { kind: 'problem', problem: `is not a JSON object with ${listOf(names)}` };
  }
  const problems = Object.entries(provider.secretFields).flatMap(([name, field]) => problemsOf(name, field, parsed));
  if (problems.length > 0) return { kind: 'problem', problem: problems.join('; ') };
  return { kind: 'credential', fields: Object.fromEntries(names.map((name) => [name, textOf(parsed, name)])) };
}

function problemsOf(name: string, field: SecretField, secret: JsonObject): readonly string[] {
  const value = Object.hasOwn(secret, name) ? secret[name] : undefined;
  if (value === undefined) return [`has no \`${name}\``];
  if (typeof value !== 'string') return [`has a \`${name}\` that is no text`];
  if (value.trim() === '') return [`has an empty \`${name}\``];
  if (CONTROL_CHARACTER.test(value)) return [`has a control character in \`${name}\``];
  if (!value.isWellFormed()) return [`has half a character in \`${name}\``];
  if (field.without !== undefined && value.includes(field.without)) {
    return [`has \`${field.without}\` in \`${name}\`, where it would separate two fields`];
  }
  return [];
}

function textOf(secret: JsonObject, name: string): string {
  const value = secret[name];
  return typeof value === 'string' ? value : '';
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' and ');
}
