import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Linux's tables of TCP sockets with the user of each. Other systems have none that every user may read. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const ROOT = 0;

/** Time for which a table is used again once it was read: the kernel takes 10 ms to write one. */
const FRESH_MS = 100;

/** One end of a connection. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/**
 * Creates the check that a connection to `server` comes from a process of this user, or of root, which can read
 * everything anyway. Each connection is checked once, when it comes. Where the system does not say, everybody passes.
 */
export function createUserGuard(server: Server): (socket: Socket) => boolean {
  const strangers = new WeakSet<Socket>();
  let owners = new Map<string, number>();
  let readAt = Number.NEGATIVE_INFINITY;

  function isStrangers(from: string, to: End): boolean {
    if (performance.now() - readAt > FRESH_MS || !owners.has(from)) {
      const tables = readTables();
      if (tables === undefined) return false;
      owners = new Map(tables.flatMap((table) => [...readOwners(table, to)]));
      readAt = performance.now();
    }
    const owner = owners.get(from);
    // A row vouches for one connection.
    owners.delete(from);
    return owner !== ROOT && owner !== process.getuid?.();
  }

  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
    const from = writeEnd({ address: remoteAddress, port: remotePort });
    if (isStrangers(from, { address: localAddress, port: localPort })) strangers.add(socket);
    // Somebody else may get the same port next.
    socket.once('close', () => owners.delete(from));
  });
  return (socket) => !strangers.has(socket);
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
 * Reads from a table the users of the sockets that are connected to `to`, by the sockets' own ends as `writeEnd` writes
 * them. A socket that its process has closed belongs to nobody: the kernel shows it as root's, without an inode.
 */
export function readOwners(table: string, to: End): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  const remote = writeEnd(to);
  for (const row of table.split('\n')) {
    if (!row.includes(remote)) continue;
    const [, rowLocal = '', rowRemote = '', , , , , uid, , inode] = row.trim().split(/\s+/);
    if (rowRemote.endsWith(remote) && inode !== '0') owners.set(rowLocal.slice(-remote.length), Number(uid));
  }
  return owners;
}

/** `::1` as the tables have it: of each four bytes the last first. */
const V6_LOOPBACK = `${'0'.repeat(24)}01000000`;

/** Writes an end as the tables do: the bytes of the address backwards. An IPv4-mapped address ends in these digits. */
export function writeEnd({ address, port }: End): string {
  const digits = address === '::1' ? V6_LOOPBACK : writeV4(address);
  return `${digits}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function writeV4(address: string): string {
  const bytes = address
    .replace(/^::ffff:/, '')
    .split('.')
    .map(Number);
  return Buffer.from(bytes.reverse()).toString('hex');
}
