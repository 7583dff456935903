import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refusalResponse } from './response.ts';

/** Tracks a server's sockets: requests in flight, refusals of invalid HTTP, and closing. */
export interface ConnectionSupervisor {
  /** Counts the request as in flight until its response is done or its client has left. */
  begin(request: IncomingMessage, response: ServerResponse): void;
  isClosing(): boolean;
  /** Ends the connections once `stop` has been called; a second call waits for the same end. */
  close(stop: () => Promise<void>): Promise<void>;
}

const CLOSE_GRACE_MS = 2_000;
// Time for a refused client to read its answer before its socket is destroyed.
const LINGER_MS = 500;

const BAD_REQUEST = 400;
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Supervises the connections of `server`. Call it before the server listens. `onCut` is told how many requests a close
 * left without an answer, if any.
 */
export function superviseConnections(server: Server, onCut?: (requests: number) => void): ConnectionSupervisor {
  const sockets = new Set<Duplex>();
  const inFlight = new Map<Duplex, Set<ServerResponse>>();
  const refused = new WeakSet<Duplex>();
  let closed: Promise<void> | undefined;

  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Invalid HTTP keeps arriving after its refusal, and fails again each time.
    if (refused.has(socket)) return;
    refused.add(socket);
    const answerHasBegun = [...(inFlight.get(socket) ?? [])].some((response) => response.headersSent);
    if (answerHasBegun || !socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else refuse(socket, STATUS_BY_CODE[error.code ?? ''] ?? BAD_REQUEST);
  });

  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    refuse(socket, BAD_REQUEST);
  });

  function begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const responses = inFlight.get(socket) ?? new Set();
    responses.add(response);
    inFlight.set(socket, responses);
    // Ignore errors of the client's socket: the body's reader notices the end of the request.
    request.on('error', () => {});
    response.on('error', () => {});
    response.once('close', () => {
      responses.delete(response);
      if (responses.size > 0) return;
      inFlight.delete(socket);
      if (closed !== undefined) socket.end(() => socket.destroy());
    });
  }

  function close(stop: () => Promise<void>): Promise<void> {
    closed ??= new Promise((resolve) => {
      const destroyAll = (): void => {
        const cut = [...inFlight.values()].reduce((sum, responses) => sum + responses.size, 0);
        if (cut > 0) onCut?.(cut);
        for (const socket of sockets) socket.destroy();
      };
      const timer = setTimeout(destroyAll, CLOSE_GRACE_MS);
      void stop().then(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const socket of sockets) {
        if (!inFlight.has(socket)) socket.destroy();
      }
    });
    return closed;
  }

  return { begin, close, isClosing: () => closed !== undefined };
}

function refuse(socket: Duplex, status: number): void {
  const { statusCode, headers, body } = refusalResponse('DEFAULT_4XX', { requestId: randomUUID(), status });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${statusCode} Refused\r\n${lines.join('')}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // Closing at once, with bytes unread, would reset the connection and lose the answer.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
