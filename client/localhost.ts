import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';

/** Addresses of `localhost`. Most programs try the second first. */
const LOOPBACK = { v4: '127.0.0.1', v6: '::1' } as const;
/** Codes of a machine without IPv6. */
const WITHOUT_V6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);
/** Most ports to try where any will do. */
const MOST_TRIES = 20;

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Stops listening, and resolves when no connection is left. */
  close(): Promise<void>;
}

/**
 * Makes an HTTP server listen on a port of `localhost`; 0 picks a free one. It takes the port at both addresses of that
 * name. Else another user of the machine could listen at the other address: programs would send that user what is meant
 * for this server, and a browser would take both for one origin. Rejects as `listen` does.
 */
export async function listenAsLocalhost(server: Server, port: number): Promise<Listening> {
  for (let tries = 1; ; tries += 1) {
    server.listen(port, LOOPBACK.v4);
    await once(server, 'listening');
    const own = (server.address() as AddressInfo).port; // A TCP server's address is never a path.
    try {
      const closeSecond = await listenBeside(server, own);
      return {
        port: own,
        async close() {
          await Promise.all([closed(server), closeSecond()]);
        },
      };
    } catch (error) {
      await closed(server);
      if (port !== 0 || tries === MOST_TRIES) throw error;
    }
  }
}

/** Listens at the second address too, and hands its connections to `server`. Returns the function that stops it. */
async function listenBeside(server: Server, port: number): Promise<() => Promise<void>> {
  const options = { allowHalfOpen: true, noDelay: true };
  const beside = createServer(options, (socket: Socket) => server.emit('connection', socket));
  if (server.maxConnections > 0) beside.maxConnections = server.maxConnections;
  beside.listen(port, LOOPBACK.v6);
  try {
    await once(beside, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && WITHOUT_V6.has(String(error.code))) return async () => undefined;
    throw error;
  }
  return () => closed(beside);
}

function closed(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
