import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';

const OTHERS = 0o077;

/**
 * Makes a folder for this user alone where it is missing, and reports whether what is there is one. Rejects as `mkdir`
 * does.
 */
export async function makePrivateFolder(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return isPrivateFolder(folder);
}

/**
 * Reports whether a folder is owned by this user and closed to others. A link does not count: it may lead into another
 * folder of this user's. Windows has neither owner nor mode.
 */
export async function isPrivateFolder(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) return false;
  return process.platform === 'win32' || (found.uid === userInfo().uid && (found.mode & OTHERS) === 0);
}
