import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

const KEY_FILE = 'local-kms.key';
const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

/**
 * Gets the 32 bytes under which the local KMS wraps data keys.
 *
 * With `dataDir` they are stored in its file `local-kms.key`, which is made at the first start and readable by its
 * owner only. Without it they are new at every start, like the store.
 * @throws StartError if the file is not such a key, or others may read it
 */
export async function openMasterKey({ dataDir }: { readonly dataDir?: string }): Promise<Buffer> {
  if (dataDir === undefined) return randomBytes(KEY_BYTES);
  const path = join(dataDir, KEY_FILE);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return (await readKey(path)) ?? (await createKey(path));
  } catch (error) {
    if (error instanceof StartError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new StartError(`${path} cannot be read or made (${code}): choose a data folder that can be written`);
  }
}

/** Derives a 32-byte key for one purpose (`secret versions`), which does not reveal the master key. */
export function deriveKey(masterKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), purpose, KEY_BYTES));
}

async function readKey(path: string): Promise<Buffer | undefined> {
  await using file = await open(path, 'r').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  const stats = await file.stat();
  if (!stats.isFile() || stats.size !== KEY_BYTES) {
    throw new StartError(
      `${path} is not a key of ${KEY_BYTES} bytes: restore it, or remove the data folder to start again`,
    );
  }
  // Windows has no permission bits.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    throw new StartError(`${path} can be read by others: chmod 600 ${path}`);
  }
  return await file.readFile();
}

/** Creates the file atomically; of two concurrent processes both get the key of the first. */
async function createKey(path: string): Promise<Buffer> {
  const draft = `${path}.${randomUUID()}`;
  const key = randomBytes(KEY_BYTES);
  try {
    await writeFile(draft, key, { flag: 'wx', mode: OWNER_ONLY, flush: true });
    await link(draft, path);
    return key;
  } catch (error) {
    const winner = isCode(error, 'EEXIST') ? await readKey(path) : undefined;
    if (winner === undefined) throw error;
    return winner;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
