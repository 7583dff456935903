import { randomUUID } from 'node:crypto';
import { access, constants, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Reports whether a secrets file can be replaced: it is a file, and it and its folder can be written. */
export async function canReplace(path: string): Promise<boolean> {
  try {
    for (const place of [path, dirname(path)]) await access(place, constants.W_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Secrets = Readonly<Record<string, Fields>>;

/** Puts fields of a connection's secret into a secrets file, beside its others. */
export async function writeSecretFields(path: string, connection: string, fields: Fields): Promise<void> {
  await rewrite(path, (secrets) => ({ ...secrets, [connection]: { ...secrets[connection], ...fields } }));
}

/** Puts one secret into a secrets file, for every connection that uses it. */
export async function writeSecrets(path: string, connections: readonly string[], secret: Fields): Promise<void> {
  const own = Object.fromEntries(connections.map((connection) => [connection, secret]));
  await rewrite(path, (secrets) => ({ ...secrets, ...own }));
}

/** Replaces a secrets file atomically: a reader finds the file before or after it. */
async function rewrite(path: string, change: (secrets: Secrets) => Secrets): Promise<void> {
  const next = change(JSON.parse(await readFile(path, 'utf8')));
  const { mode } = await stat(path);
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = await open(draft, 'wx', mode & 0o777);
    try {
      await file.writeFile(`${JSON.stringify(next, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}
