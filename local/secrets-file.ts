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
import { type CheckedSecrets, checkSecrets, type SecretsFileShape } from './secrets-file-check.ts';

/** Which secrets file to serve, and who hears of its changes. */
export interface SecretsFileOptions {
  readonly path: string;
  /** The fields that each connection's secret must have, by connection; the file may hold nothing else. */
  readonly required: ReadonlyMap<string, Provider['secretFields']>;
  /** Secret: makes version ids. The same key gives the same ids at the next start. */
  readonly versionKey: Buffer;
  /** `token-broker/<connection>` by default. */
  readonly nameOf?: SecretNameOf;
  /** How often the file is looked at; 500 by default. */
  readonly pollMs?: number;
  /** Hears of a rotation, after the new version is there. */
  readonly onChange: (connection: string) => void;
  /** Hears once of each way in which the file is broken; the values from before stay. */
  readonly onBroken: (message: string) => void;
}

/** The secrets file cannot be used; `problems` are all of them, each with file, place and remedy, none with a value. */
export class SecretsFileError extends Error {
  override readonly name = 'SecretsFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Serves the secrets of a file, and takes a change of the file for a rotation.
 *
 * The file is polled, which sees an atomic rename too. A broken one is believed only at the second look, because it may
 * be half written.
 * @throws SecretsFileError where the file is not good at the start
 */
export async function openSecretsFile(options: SecretsFileOptions): Promise<LocalSecrets> {
  const { path, required, versionKey, nameOf = defaultSecretName, pollMs = 500, onChange, onBroken } = options;
  const shape = { path, required, nameOf };
  const secrets = new Map<string, Secret>();

  const first = await readSecrets(shape);
  if (!first.checked.ok) throw new SecretsFileError(first.checked.problems);
  takeUp(first.checked.secrets, first.modifiedAt);

  let taken = first.contentHash;
  let doubted: string | undefined;
  let reported: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  // A pipe (`--secrets <(…)`) gives its content once.
  if (first.canChange) schedule();

  /** Sets what is new, and gives the connections whose value is another than before. */
  function takeUp(found: ReadonlyMap<string, SecretFields>, createdAt: number): string[] {
    const changed: string[] = [];
    const versionByName = new Map<string, string>();
    for (const [connection, fields] of found) {
      const name = nameOf(connection);
      const value = canonicalJson(fields);
      // Where connections share a secret, the first one's id is the secret's.
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

  return {
    current: (name) => secrets.get(name),
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
}

/**
 * Reads and checks the file, every time whole: it is small, and its times and size can stay as they are over a change.
 */
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
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const checked = { ok: false, problems: [unreadable(shape.path, code)] } as const;
    return { checked, modifiedAt: 0, contentHash: '', canChange: true };
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
