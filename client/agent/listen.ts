import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';

/** Umask of a new socket: no rights for other users. */
const OWNER_ONLY = 0o177;

/** Address of an agent: a port of `localhost`, 0 for a free one, or the path of a Unix socket. */
export type Place = { readonly port: number } | { readonly socket: string };

/**
 * Listens on a Unix socket that only this user, and root, can open. A socket that a killed agent has left is replaced;
 * one that answers is not. Returns the function that stops listening. Rejects as `listen` does.
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => Promise<void>> {
  if (await isLeftBehind(path)) await rm(path, { force: true });
  const umask = process.umask(OWNER_ONLY);
  try {
    // The socket is made before this returns, and so with these rights from the start.
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Reports whether `path` is a socket on which nobody listens. */
async function isLeftBehind(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return false;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
