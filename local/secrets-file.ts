import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Provider } from '../functions/core/slot/provider.ts';
import {
  canonicalJson,
  defaultSecretName,
  type LocalSecrets,
  type Secret,
  type SecretFields,
  type SecretNameOf,
  versionIdOf,
} from './secret-source.ts';
import { type CheckedSecrets, checkSecrets, normalizeSecret, type SecretsFileShape } from './secrets-file-check.ts';
import { canReplace, writeSecrets } from './secrets-file-write.ts';
import { StartError } from './start-error.ts';

/** Options of a secrets file. */
export interface SecretsFileOptions {
  readonly path: string;
  /** Required fields of the secrets, by connection; the file may hold nothing else. */
  readonly required: ReadonlyMap<string, Provider['secretFields']>;
  /** Secret key of version ids. The same key gives the same ids at the next start. */
  readonly versionKey: Buffer;
  /** Name of a secret; default `token-broker/<connection>`. */
  readonly nameOf?: SecretNameOf;
  /** Polling interval; default 500. */
  readonly pollMs?: number;
  /** Called after a rotation, once the new version is served. */
  readonly onChange: (connection: string) => void;
  /** Called once for each fault of the file, while the previous values stay, and where it is open to others. */
  readonly onBroken: (message: string) => void;
}

/** Permissions of group and others to read and write. */
const OPEN_TO_OTHERS = 0o066;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Serves the secrets of a file, and treats a change of the file as a rotation.
 *
 * Polls the file, which also notices an atomic rename. Reports a broken file only at the second poll, because it may be
 * half written.
 * @throws StartError if the file is invalid at the start: each problem with file, place and remedy, and no value
 */
export async function openSecretsFile(options: SecretsFileOptions): Promise<LocalSecrets> {
  const { path, required, versionKey, nameOf = defaultSecretName, pollMs = 500, onChange, onBroken } = options;
  const shape = { path, required, nameOf };
  const secrets = new Map<string, Secret>();

  const first = await readSecrets(shape);
  if (!first.checked.ok) throw new StartError(first.checked.problems.join('\n'));
  takeUp(first.checked.secrets, first.modifiedAt);
  if (first.isOpen) onBroken(`warning: other users of this machine can read or change ${path}: chmod 600 ${path}`);

  let taken = first.contentHash;
  let doubted: string | undefined;
  let reported: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  // A pipe (`--secrets <(…)`) can be read only once.
  if (first.canChange) schedule();

  /** Sets new values, and returns the connections whose value has changed. */
  function takeUp(found: ReadonlyMap<string, SecretFields>, createdAt: number): string[] {
    const changed: string[] = [];
    const versionByName = new Map<string, string>();
    for (const [connection, fields] of found) {
      const name = nameOf(connection);
      const value = canonicalJson(fields);
      // If connections share a secret, its id is that of the first.
      const versionId = versionByName.get(name) ?? versionIdOf(versionKey, connection, value);
      const isNew = versionByName.has(name)
        ? changed.some((other) => nameOf(other) === name)
        : secrets.get(name)?.versionId !== versionId;
      versionByName.set(name, versionId);
      if (!isNew) continue;
      secrets.set(name, { value, versionId, createdAt });
      changed.push(connection);
    }
    return changed;
  }

  function schedule(): void {
    if (closed) return;
    timer = setTimeout(() => {
      looking = look().finally(schedule);
    }, pollMs);
  }

  async function look(): Promise<void> {
    const { checked, contentHash, modifiedAt } = await readSecrets(shape);
    if (closed) return;
    if (checked.ok) {
      doubted = undefined;
      reported = undefined;
      if (contentHash === taken) return;
      taken = contentHash;
      for (const connection of takeUp(checked.secrets, modifiedAt)) onChange(connection);
      return;
    }
    const message = checked.problems.join('\n');
    const isConfirmed = message === doubted;
    doubted = message;
    if (!isConfirmed || message === reported) return;
    reported = message;
    onBroken(`${message}\nThe values from before stay in use.`);
  }

  const connectionsOf = (name: string) => [...required.keys()].filter((connection) => nameOf(connection) === name);

  return {
    current: (name) => secrets.get(name),
    versionOf(name, text) {
      const [connection = name] = connectionsOf(name);
      const value = normalizeSecret(text, required.get(connection) ?? {});
      return { value, versionId: versionIdOf(versionKey, connection, value), createdAt: Date.now() };
    },
    canReplace: () => canReplace(path),
    async replace(name, value) {
      await writeSecrets(path, connectionsOf(name), JSON.parse(value));
      // The poll may be in the middle of a look at the file before.
      await looking;
      await look();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
      secrets.clear();
    },
  };
}

interface Look {
  readonly checked: CheckedSecrets;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  readonly contentHash: string;
  readonly canChange: boolean;
  /** Others than the file's owner may read or change it. */
  readonly isOpen: boolean;
}

/** Reads and checks the whole file each time: it is small, and a change may leave its times and size as they were. */
async function readSecrets(shape: SecretsFileShape): Promise<Look> {
  try {
    const stats = await stat(shape.path);
    if (stats.size > MAX_FILE_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
    const bytes = await readFile(shape.path);
    return {
      checked: checkSecrets(bytes, shape),
      modifiedAt: Math.floor(stats.mtimeMs),
      contentHash: createHash('sha256').update(bytes).digest('hex'),
      canChange: stats.isFile(),
      isOpen: stats.isFile() && process.platform !== 'win32' && (stats.mode & OPEN_TO_OTHERS) !== 0,
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const checked = { ok: false, problems: [unreadable(shape.path, code)] } as const;
    return { checked, modifiedAt: 0, contentHash: '', canChange: true, isOpen: false };
  }
}

function unreadable(path: string, code: string): string {
  switch (code) {
    case 'ENOENT':
      return `${path}: the file does not exist; write it, or give another with --secrets`;
    case 'EISDIR':
      return `${path}: it is a folder; give a file with --secrets`;
    case 'EFBIG':
      return `${path}: the file is over 1 MB; give the secrets file with --secrets`;
    case 'EACCES':
    case 'EPERM':
      return `${path}: the file cannot be read; let this user read it`;
    default:
      return `${path}: the file cannot be read (${code}); give another with --secrets`;
  }
}
