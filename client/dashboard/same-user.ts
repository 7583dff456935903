import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Linux's tables of TCP sockets, which say of each whose it is. Other systems have none that is free to read. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const ROOT = 0;

/** One end of a connection. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/**
 * Creates the check that a connection to `server` comes from a process of this user, or of root, which can read
 * everything anyway. It is made when the connection comes. Where the system does not say, everybody passes.
 */
export function createUserGuard(server: Server): (socket: Socket) => boolean {
  const strangers = new WeakSet<Socket>();
  server.on('connection', (socket: Socket) => {
    if (isStrangers(socket)) strangers.add(socket);
  });
  return (socket) => !strangers.has(socket);
}

function isStrangers({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): boolean {
  const tables = readTables();
  if (tables === undefined) return false;
  const ends = [
    { address: remoteAddress, port: remotePort },
    { address: localAddress, port: localPort },
  ] as const;
  const owner = tables.map((table) => findOwner(table, ...ends)).find((uid) => uid !== undefined);
  return owner !== ROOT && owner !== process.getuid?.();
}

function readTables(): readonly string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  const tables = TABLES.flatMap((path) => {
    try {
      return [readFileSync(path, 'latin1')];
    } catch {
      return [];
    }
  });
  return tables.length > 0 ? tables : undefined;
}

/**
 * Finds in a table the user whose socket at `from` is connected to `to`, both IPv4. A socket that its process has closed
 * already belongs to nobody: the kernel shows it as root's, without an inode.
 */
export function findOwner(table: string, from: End, to: End): number | undefined {
  const [local, remote] = [from, to].map(writeEnd);
  for (const row of table.split('\n')) {
    const [, rowLocal = '', rowRemote = '', , , , , uid, , inode] = row.trim().split(/\s+/);
    const isIt = local !== undefined && remote !== undefined && rowLocal.endsWith(local) && rowRemote.endsWith(remote);
    if (isIt && inode !== '0') return Number(uid);
  }
  return undefined;
}

/** Writes an end as the tables do: the bytes of the address backwards, which is how an IPv4-mapped one ends too. */
function writeEnd({ address, port }: End): string {
  const bytes = address
    .replace(/^::ffff:/, '')
    .split('.')
    .map(Number);
  return `${Buffer.from(bytes.reverse()).toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
