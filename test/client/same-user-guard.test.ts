import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { createUserGuard } from '../../client/dashboard/same-user.ts';

/** User of the socket that the system's table shows. */
let owner = 0;

vi.mock(import('node:fs'), async (original) => ({
  ...(await original()),
  // One connection, from port 0xEA30 to port 0x2253 of 127.0.0.1.
  readFileSync: (() =>
    `   2: 0100007F:EA30 0100007F:2253 01 00000000:00000000 03:000002EA 00000000 ${owner} 0 2001 1 0`) as never,
}));

it.runIf(process.platform === 'linux')('one look at the table vouches for one connection of a port', () => {
  const server = createServer();
  const isOfThisUser = createUserGuard(server);
  const connected = (): Socket => {
    const ends = { remoteAddress: '127.0.0.1', remotePort: 0xea30, localAddress: '127.0.0.1', localPort: 0x2253 };
    const socket = Object.assign(new EventEmitter(), ends) as Socket; // The guard reads these members alone.
    server.emit('connection', socket);
    return socket;
  };
  owner = process.getuid?.() ?? 0;
  const own = connected();
  // Somebody else takes the port before the end of the first connection is seen here.
  owner = 54_321;
  const strangers = connected();

  expect([isOfThisUser(own), isOfThisUser(strangers)]).toEqual([true, false]);
});
