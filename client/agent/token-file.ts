import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/** Mode of a file that only the agent's own user can read and write. */
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

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
  const unfinished = join(dirname(path), `.token-broker-agent-${process.pid}`);
  await rm(unfinished, { force: true });
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
 * Finds the folder for token files: XDG_RUNTIME_DIR, else one of this user's own below the folder for temporary files,
 * made where it is missing. Throws where somebody else made it first, or can look into it.
 */
export async function makeTokenFolder(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  if (runtime !== '') return runtime;
  const { uid } = userInfo();
  const folder = join(tmpdir(), `token-broker-agent-${uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  // Windows has neither owner nor mode.
  const isOwn = process.platform === 'win32' || (found.uid === uid && (found.mode & OTHERS) === 0);
  if (found.isDirectory() && isOwn) return folder;
  throw new Error(`${folder} is not this user's alone`);
}
