import { createHash } from 'node:crypto';
import type { Provider } from '../slot/provider.ts';
import type { KeptValues } from '../slot/token.ts';
import { isJsonObject, type JsonValue } from '../words/json.ts';
import { Secret } from '../words/secret.ts';
import type { KeptVersions, SecretVersion } from './secrets.ts';

/** Values of the fields that rotate, as the kept secret holds them. */
export interface KeptValue {
  /** Version of the operator's secret that they came from, by way of the values before. */
  readonly of: string;
  readonly fields: KeptValues;
  /** Counts the values since that version. */
  readonly generation: number;
  /** SHA-256 of the operator's own values that they came from. */
  readonly from: string;
  /** The version of the kept secret that was current before; empty if there was none. */
  readonly after: string;
  /** Time at which the upstream gave them; epoch milliseconds. */
  readonly at: number;
  /** The lease under which they were given. */
  readonly by: string;
}

/** A version of the kept secret with its value. */
export interface KeptVersion {
  readonly versionId: string;
  readonly value: KeptValue;
}

/** Lists the fields of a provider's secret that rotate. */
function rotatingFields({ secretFields }: Pick<Provider, 'secretFields'>): readonly string[] {
  return Object.entries(secretFields).flatMap(([name, { rotates }]) => (rotates === undefined ? [] : [name]));
}

/** Names a value for what is known of it outside the secret, with the operator's version: a new one is a new try. */
export function nameOfValue({ versionId }: SecretVersion, kept: KeptVersion | undefined): string {
  return `${versionId}#${kept?.value.generation ?? 0}`;
}

/** Writes a value as a version. Its id follows from the lease, so that a write sent twice is one. */
export function toVersion(value: KeptValue): SecretVersion {
  const versionId = createHash('sha256').update(`${value.by}#${value.generation}`).digest('hex');
  return { versionId, value: new Secret(JSON.stringify(value)) };
}

/** Reads a value that waited outside the kept secret as the version that it is to be. */
export function readWaiting(text: Secret<string>): SecretVersion | undefined {
  const read = parseKeptVersion({ versionId: '', value: text });
  return read && toVersion(read.value);
}

/** Reads a version of the kept secret; undefined if it is not one that the broker wrote. */
export function parseKeptVersion(version: SecretVersion | undefined): KeptVersion | undefined {
  const parsed = version && parseObject(version.value);
  if (version === undefined || parsed === undefined) return undefined;
  const { of, fields, generation, from, after, at, by } = parsed;
  if (typeof of !== 'string' || typeof from !== 'string') return undefined;
  if (typeof after !== 'string' || typeof by !== 'string') return undefined;
  if (typeof generation !== 'number' || typeof at !== 'number' || !isJsonObject(fields)) return undefined;
  const texts = Object.entries(fields).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : []));
  const value = { of, fields: Object.fromEntries(texts), generation, from, after, at, by };
  return { versionId: version.versionId, value };
}

/**
 * Finds the values that a login must use: those kept, if they came from the operator's version or from the very values
 * that it holds, else the operator's own. So a new consent always wins, and a version that changes other fields alone
 * brings no spent value back.
 */
export function chooseKept(
  kept: KeptVersion | undefined,
  operators: SecretVersion,
  provider: Provider,
): KeptVersion | undefined {
  if (kept === undefined) return undefined;
  const { of, from } = kept.value;
  return of === operators.versionId || from === originOf(operators, provider) ? kept : undefined;
}

/** Reports whether a version follows the current one, so that none older comes back. */
export function follows(version: SecretVersion | undefined, { current }: KeptVersions): version is SecretVersion {
  return parseKeptVersion(version)?.value.after === (current?.versionId ?? '');
}

/** Computes the SHA-256 of the operator's values of the fields that rotate. */
export function originOf(operators: SecretVersion, provider: Provider): string {
  const fields = parseObject(operators.value) ?? {};
  const own = rotatingFields(provider).map((name) => [name, fields[name] ?? null]);
  return createHash('sha256').update(JSON.stringify(own)).digest('hex');
}

/** Puts kept values in the place of the operator's. A secret that is no JSON object stays as it is. */
export function overlay(secret: Secret<string>, fields: KeptValues): Secret<string> {
  const own = parseObject(secret);
  return own === undefined ? secret : new Secret(JSON.stringify({ ...own, ...fields }));
}

function parseObject(text: Secret<string>): Readonly<Record<string, JsonValue>> | undefined {
  try {
    const parsed: JsonValue = JSON.parse(text.reveal());
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
