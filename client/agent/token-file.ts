import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { isPrivateFolder, makePrivateFolder } from '../private-folder.ts';

/** Mode of a file that only the agent's own user can read and write. */
const OWNER_ONLY = 0o600;

/** The agent's own token in a file, for callers to read. */
export interface TokenFile {
  readonly path: string;
  /** Removes the file. Never rejects. */
  remove(): Promise<void>;
}

/**
 * Writes the agent's token to `path` with the mode 0600, in place of whatever is there; a link is replaced and not
 * followed. Rejects as `fs` does.
 */
export async function writeTokenFile(path: string, token: string): Promise<TokenFile> {
  // A name that nobody can guess, so that nobody can put a file or link there first.
  const unfinished = join(dirname(path), `.token-broker-agent-${randomUUID()}`);
  try {
    await writeFile(unfinished, token, { mode: OWNER_ONLY, flag: 'wx' });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return { path, remove: () => rm(path, { force: true }).catch(() => undefined) };
}

/**
 * Finds the folder for token files: XDG_RUNTIME_DIR, if it is this user's alone. After `su` it may be another user's.
 * Else a folder of this user's below the folder for temporary files, which is made if it is missing. Throws if somebody
 * else made that one, or can look into it.
 */
export async function makeTokenFolder(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  if (runtime !== '' && (await isPrivateFolder(runtime))) return runtime;
  const folder = join(tmpdir(), `token-broker-agent-${userInfo().uid}`);
  if (await makePrivateFolder(folder)) return folder;
  throw new Error(`${folder} is not this user's alone`);
}
