import { createHmac } from 'node:crypto';

/** Current version of a secret. */
export interface Secret {
  /** Secret string: JSON as an operator puts it into Secrets Manager. Never for logs. */
  readonly value: string;
  /** UUID, the same for the same value under the same version key. */
  readonly versionId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** Source of the loopback Secrets Manager's secrets. */
export interface SecretSource {
  /** Finds a secret by name; `empty` if it exists without a value, `undefined` if there is none. */
  current(name: string): Secret | 'empty' | undefined;
}

/** Secret source that this process owns and closes. */
export interface LocalSecrets extends SecretSource {
  /** Builds the version that `current` would return for this value. */
  versionOf(name: string, value: string): Secret;
  /** Reports whether a secret can get another value here. */
  canReplace(name: string): Promise<boolean>;
  /** Gives a secret another value. Resolves once that is current. */
  replace(name: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** Builds the name of a connection's secret. */
export type SecretNameOf = (connection: string) => string;

/** Builds the default name of a connection's secret. */
export function defaultSecretName(connection: string): string {
  return `token-broker/${connection}`;
}

/** Fields of a secret, by name. */
export type SecretFields = Readonly<Record<string, string>>;

/** Writes fields as JSON in the order of their names, so that the order in a file does not count as a change. */
export function canonicalJson(fields: SecretFields): string {
  return JSON.stringify(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/**
 * Names a version of a connection's secret: the same value gives the same id, also after a restart.
 *
 * The id is an HMAC under `versionKey`, so that it cannot be used to guess values.
 */
export function versionIdOf(versionKey: Buffer, connection: string, value: string): string {
  const digest = createHmac('sha256', versionKey)
    .update(JSON.stringify([connection, value]))
    .digest('hex');
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** Secrets in memory, for the demo and for tests. */
export interface MemorySecrets extends LocalSecrets {
  /** Sets the value of a connection's secret: fields, or a text unchanged. */
  put(connection: string, value: SecretFields | string): void;
  /** Sets a connection's secret to one without a value. */
  empty(connection: string): void;
  remove(connection: string): void;
}

/** Options of secrets in memory. */
export interface MemorySecretsOptions {
  readonly versionKey: Buffer;
  /** Clock in epoch milliseconds; default the system's. */
  readonly now?: () => number;
  /** Name of a secret; default `token-broker/<connection>`. */
  readonly nameOf?: SecretNameOf;
  /** Called for every new version except a connection's first. */
  readonly onChange?: (connection: string) => void;
}

/** Creates an empty set of secrets in memory. */
export function createMemorySecrets(options: MemorySecretsOptions): MemorySecrets {
  const { versionKey, now = Date.now, nameOf = defaultSecretName, onChange } = options;
  const secrets = new Map<string, Secret | 'empty'>();
  const connectionByName = new Map<string, string>();

  function versionOf(name: string, text: string): Secret {
    return {
      value: text,
      versionId: versionIdOf(versionKey, connectionByName.get(name) ?? name, text),
      createdAt: now(),
    };
  }

  return {
    current: (name) => secrets.get(name),
    versionOf,
    canReplace: async () => true,
    async replace(name, value) {
      secrets.set(name, versionOf(name, value));
      onChange?.(connectionByName.get(name) ?? name);
    },
    put(connection, value) {
      const name = nameOf(connection);
      connectionByName.set(name, connection);
      const before = secrets.get(name);
      const text = typeof value === 'string' ? value : canonicalJson(value);
      const versionId = versionIdOf(versionKey, connection, text);
      if (typeof before === 'object' && before.versionId === versionId) return;
      secrets.set(name, { value: text, versionId, createdAt: now() });
      if (before !== undefined) onChange?.(connection);
    },
    empty(connection) {
      connectionByName.set(nameOf(connection), connection);
      secrets.set(nameOf(connection), 'empty');
    },
    remove(connection) {
      secrets.delete(nameOf(connection));
    },
    async close() {
      secrets.clear();
    },
  };
}

/** Joins two sources of secrets. The second answers for the names that the first does not have. */
export function joinSecrets(first: LocalSecrets, second: LocalSecrets): LocalSecrets {
  const sourceOf = (name: string) => (first.current(name) === undefined ? second : first);
  return {
    current: (name) => sourceOf(name).current(name),
    versionOf: (name, value) => sourceOf(name).versionOf(name, value),
    canReplace: (name) => sourceOf(name).canReplace(name),
    replace: (name, value) => sourceOf(name).replace(name, value),
    async close() {
      await first.close();
      await second.close();
    },
  };
}
