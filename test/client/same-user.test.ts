import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readOwners, writeEnd } from '../../client/dashboard/same-user.ts';

// As Linux 6.18 writes it: a connection of user 1000 and its other end, one over an IPv6 socket, one that is closed.
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1065 1 00000000efc1ecdb
   1: 0100007F:2253 0100007F:EA30 01 00000000:00000000 03:000002A8 00000000     0        0 2000 1 000000008b0e91a4
   2: 0100007F:EA30 0100007F:2253 01 00000000:00000000 03:000002EA 00000000  1000        0 2001 1 000000001e98fe70
   3: 0200007F:EA30 0100007F:2253 01 00000000:00000000 03:000002EA 00000000  1001        0 2002 1 000000001e98fe71
   4: 0100007F:EA31 0100007F:2253 06 00000000:00000000 03:00000230 00000000     0        0 0 3 0000000085a535e9
   5: 0000000000000000FFFF00000100007F:EA32 0000000000000000FFFF00000100007F:2253 01 00000000:00000000 00:00000000 00000000  1002        0 2003 1 0`;
const server = { address: '127.0.0.1', port: 0x2253 };

const V6_TABLE = `   0: 00000000000000000000000001000000:EA30 00000000000000000000000001000000:2253 01 00000000:00000000 03:000002EA 00000000  1003        0 2004 1 0`;

describe('readOwners', () => {
  it.each([
    ['127.0.0.1', 0xea30, 1000],
    ['127.0.0.2', 0xea30, 1001],
    ['127.0.0.1', 0xea32, 1002],
    ['::ffff:127.0.0.1', 0xea30, 1000],
    ['127.0.0.1', 0xea31, undefined],
    ['127.0.0.1', 0xea33, undefined],
    ['', 0xea30, undefined],
    ['::1', 0xea30, undefined],
  ])('of %s:%i is %s', (address, port, owner) => {
    expect(readOwners(TABLE, server).get(writeEnd({ address, port }))).toBe(owner);
  });

  it('of ::1 is in the table of IPv6', () => {
    const to = { address: '::1', port: 0x2253 };
    expect(readOwners(V6_TABLE, to).get(writeEnd({ address: '::1', port: 0xea30 }))).toBe(1003);
    expect(readOwners(V6_TABLE, to).get(writeEnd({ address: '::1', port: 0xea31 }))).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('of a connection of this process is its user', async () => {
    const listening = createServer().listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const from = { address: '127.0.0.1', port: socket.localPort ?? 0 };
    const owners = readOwners(await readFile('/proc/net/tcp', 'latin1'), { address: '127.0.0.1', port });
    expect(owners.get(writeEnd(from))).toBe(process.getuid?.());
    socket.destroy();
    listening.close();
  });
});
