import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { readBody } from './http-body.ts';
import { KEY_REFUSAL, type KeyCheck } from './loopback-keys.ts';
import { settleWithin } from './settle-within.ts';

/** Request with its whole body. */
export interface LoopbackRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Answer with its whole body. */
export interface LoopbackReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Outcome of a request: a reply, a connection ended without one, or silence until the server closes. */
export type LoopbackAnswer = LoopbackReply | 'reset' | 'hang';

/** Running server on 127.0.0.1. */
export interface LoopbackServer {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Stops accepting, waits a short while for requests in flight, then ends every connection. */
  close(): Promise<void>;
}

/** Port, limit and answers of a loopback server. */
export interface LoopbackServerOptions {
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** Limit on a body; a longer one gets 413 and is never kept. */
  readonly maxBodyBytes: number;
  /** Lets a request in once its body is read; by default every one. */
  readonly mayEnter?: KeyCheck | undefined;
  /** Answers a request. A rejection becomes an empty 500. */
  readonly answer: (request: LoopbackRequest) => Promise<LoopbackAnswer>;
}

const CLOSE_GRACE_MS = 2_000;
/** Longer than Node's 5 s, after which a busy machine may close a connection with an unread next request. */
export const KEEP_ALIVE_MS = 60_000;

/** Starts a server on 127.0.0.1 that answers whole requests, and only those that a program on this machine sends. */
export async function startLoopbackServer({
  port = 0,
  maxBodyBytes,
  mayEnter,
  answer,
}: LoopbackServerOptions): Promise<LoopbackServer> {
  const hanging = new Set<ServerResponse>();

  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isFromLocalProgram(request, server)) return send(response, { status: 403, headers: {}, body: '' });
    const body = await readBody(request, maxBodyBytes);
    if (body === 'aborted') return;
    if (body === 'too-large') return send(response, { status: 413, headers: { connection: 'close' }, body: '' });

    if (mayEnter !== undefined && !(await mayEnter(request, body))) return send(response, KEY_REFUSAL);
    const outcome = await answer({
      method: request.method ?? '',
      target: request.url ?? '/',
      headers: request.headers,
      body,
    }).catch((): LoopbackReply => ({ status: 500, headers: {}, body: '' }));

    if (outcome === 'reset') {
      request.socket.resetAndDestroy();
    } else if (outcome === 'hang') {
      hanging.add(response);
      response.once('close', () => hanging.delete(response));
    } else {
      send(response, outcome);
    }
  }

  const endpoint = await listenOnLoopback(server, port);
  return {
    endpoint,
    async close() {
      for (const response of hanging) response.destroy();
      await closeServer(server, CLOSE_GRACE_MS);
    },
  };
}

/**
 * Reports whether a request can come from a program on this machine, and from no web page.
 *
 * A page in a browser can reach loopback under a name of its own that resolves there (DNS rebinding), or as a foreign
 * origin; both are refused.
 */
export function isFromLocalProgram(request: IncomingMessage, server: Server): boolean {
  const { origin, 'sec-fetch-site': site = 'none' } = request.headers;
  if (origin !== undefined || !(site === 'none' || site === 'same-origin')) return false;
  const address = server.address();
  if (address === null || typeof address === 'string') return false;
  const host = request.headers.host;
  return host === `127.0.0.1:${address.port}` || host === `localhost:${address.port}`;
}

/** Makes `server` listen on 127.0.0.1 and returns its URL; rejects if the port is taken. */
export async function listenOnLoopback(server: Server, port: number): Promise<string> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Closes `server`: requests in flight have `graceMs` to end, none by default, then all connections are ended. */
export async function closeServer(server: Server, graceMs = 0): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if (graceMs > 0) await settleWithin([closed], graceMs);
  server.closeAllConnections();
  await closed;
}

function send(response: ServerResponse, { status, headers, body }: LoopbackReply): void {
  // RFC 9110 §8.6: a 204 has no length.
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  // The clock that signatures are checked by: the SDK corrects its own by this header.
  const date = new Date(Date.now()).toUTCString();
  response.writeHead(status, { date, ...headers, ...length });
  response.end(body);
}
