import { parseJsonText } from '../functions/configuration/json-text.ts';
import type { Provider } from '../functions/core/slot/provider.ts';
import { isJsonObject, type JsonObject } from '../functions/core/words/json.ts';
import { type FieldFault, readField } from '../functions/providers/engine/credential.ts';
import { canonicalJson, type SecretFields, type SecretNameOf } from './secret-source.ts';

/** Requirements on a secrets file. */
export interface SecretsFileShape {
  /** Path, for messages only. */
  readonly path: string;
  /** Required fields of the secrets, by connection. */
  readonly required: ReadonlyMap<string, Provider['secretFields']>;
  readonly nameOf: SecretNameOf;
}

/** Result of a check: every connection's fields, or all problems at once. Problems quote no value. */
export type CheckedSecrets =
  | { readonly ok: true; readonly secrets: ReadonlyMap<string, SecretFields> }
  | { readonly ok: false; readonly problems: readonly string[] };

// A name that does not match may be a value in the wrong place, and is not quoted: keys have many digits.
const PRINTABLE_NAME = /^(?!(?:\D*\d){4})[A-Za-z_][A-Za-z0-9_]{0,30}(?:-[A-Za-z0-9_]{1,30})?$/;

const fieldFaults: Readonly<Record<FieldFault, readonly [what: string, remedy: string]>> = {
  missing: ['is missing', 'add it, a string'],
  not_text: ['is not a string', 'put it in double quotes'],
  empty: ['is empty', 'give it its value'],
  control_character: ['has a control character in it', 'remove it, such as a newline at its end'],
  unpaired_surrogate: ['has a broken character (an unpaired surrogate) in it', 'write it out whole'],
  no_pem: ['is no PEM', 'put the whole file there, from -----BEGIN to -----END'],
};

/** Checks the bytes of a secrets file, `{"<connection>": {"<field>": "<value>"}}`; never throws. */
export function checkSecrets(bytes: Uint8Array, shape: SecretsFileShape): CheckedSecrets {
  const { path, required, nameOf } = shape;
  const problems: string[] = [];
  const report = (where: string, what: string, remedy: string): void => {
    problems.push(`${path}: ${where} ${what}; ${remedy}`);
  };

  const text = decodeUtf8(bytes);
  if (text === undefined) {
    report('the file', 'is not UTF-8 text', 'save it as UTF-8');
    return { ok: false, problems };
  }
  const parsed = parseJsonText(text);
  if ('breaksAt' in parsed) {
    report(parsed.breaksAt, 'is where it stops being JSON', 'correct it there, or just before');
    return { ok: false, problems };
  }
  if (!isJsonObject(parsed.value)) {
    report('$', 'is not an object', 'write {"<connection>": {"<field>": "<value>"}}');
    return { ok: false, problems };
  }

  const entries = new Map(Object.entries(parsed.value));
  const secrets = new Map<string, SecretFields>();
  for (const [connection, declared] of required) {
    const at = `$.${connection}`;
    const entry = entries.get(connection);
    if (entry === undefined) {
      report(at, 'is missing', `add "${connection}": ${template(declared)}`);
    } else if (isJsonObject(entry)) {
      const fields = checkFields(entry, declared, at, report);
      if (fields !== undefined) secrets.set(connection, fields);
    } else {
      report(at, 'is not an object', `write ${template(declared)}`);
    }
  }

  [...entries.keys()].forEach((name, index) => {
    if (!required.has(name)) {
      report(
        placeOfName('$', name, index),
        'is no configured connection',
        `remove it, or use ${listed(required.keys())}`,
      );
    }
  });
  checkSharedNames(secrets, nameOf, report);
  return problems.length === 0 ? { ok: true, secrets } : { ok: false, problems };
}

/** Writes a secret's value as `checkSecrets` reads it from a file; one of another shape stays as it is. */
export function normalizeSecret(text: string, declared: Provider['secretFields']): string {
  const parsed = parseJsonText(text);
  if ('breaksAt' in parsed || !isJsonObject(parsed.value)) return text;
  const fields = checkFields(parsed.value, declared, '', () => undefined);
  return fields === undefined ? text : canonicalJson(fields);
}

type Report = (where: string, what: string, remedy: string) => void;

function checkFields(
  entry: JsonObject,
  declared: Provider['secretFields'],
  at: string,
  report: Report,
): SecretFields | undefined {
  const fields: Record<string, string> = {};
  let sound = true;
  const refuse: Report = (...words) => {
    sound = false;
    report(...words);
  };
  for (const [name, field] of Object.entries(declared)) {
    const read = readField(entry, name, field);
    if (!('fault' in read)) fields[name] = read.text;
    else if (read.fault !== 'missing' || field.optional !== true) refuse(`${at}.${name}`, ...fieldFaults[read.fault]);
  }
  // A key file is used as downloaded, and has further members.
  const isKeyFile = Object.values(declared).some(({ kind }) => kind === 'pem');
  Object.keys(entry).forEach((name, index) => {
    if (!isKeyFile && !Object.hasOwn(declared, name)) {
      const known = listed(Object.keys(declared));
      refuse(placeOfName(at, name, index), 'is no field of this secret', `remove it, or use ${known}`);
    }
  });
  return sound ? fields : undefined;
}

/** Checks that connections with the same secret have the same value. */
function checkSharedNames(secrets: ReadonlyMap<string, SecretFields>, nameOf: SecretNameOf, report: Report): void {
  const firstByName = new Map<string, { connection: string; json: string }>();
  for (const [connection, fields] of secrets) {
    const json = canonicalJson(fields);
    const first = firstByName.get(nameOf(connection));
    if (first === undefined) firstByName.set(nameOf(connection), { connection, json });
    else if (first.json !== json) {
      report(`$.${connection}`, `differs from $.${first.connection}, and both use one secret`, 'make them equal');
    }
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    // Also removes a byte order mark, which some editors write and JSON does not allow.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function placeOfName(parent: string, name: string, index: number): string {
  return PRINTABLE_NAME.test(name) ? `${parent}.${name}` : `entry ${index + 1} of ${parent}`;
}

function template(declared: Provider['secretFields']): string {
  return `{${Object.keys(declared)
    .map((name) => `"${name}": "…"`)
    .join(', ')}}`;
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ');
}
