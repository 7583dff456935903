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

/** Puts fields of a connection's secret into a secrets file, atomically: a reader finds the file before or after it. */
export async function writeSecretFields(
  path: string,
  connection: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const secrets: Record<string, Record<string, unknown>> = JSON.parse(await readFile(path, 'utf8'));
  const next = { ...secrets, [connection]: { ...secrets[connection], ...fields } };
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
