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
  // Nobody can guess the name, and put something there first.
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
 * Finds the folder for token files: XDG_RUNTIME_DIR where that is this user's alone, as it is not for whoever became
 * another user and kept the environment; else one of this user's own below the folder for temporary files, made where it
 * is missing. Throws where somebody else made it first, or can look into it.
 */
export async function makeTokenFolder(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  if (runtime !== '' && (await isPrivateFolder(runtime))) return runtime;
  const folder = join(tmpdir(), `token-broker-agent-${userInfo().uid}`);
  if (await makePrivateFolder(folder)) return folder;
  throw new Error(`${folder} is not this user's alone`);
}
