import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { BrokerApi, SlotName } from '../broker-api.ts';
import type { Clock } from '../clock.ts';
import { listenAsLocalhost } from '../localhost.ts';
import type { ProxyInit } from '../proxy-call.ts';
import type { RetryBudget } from '../retry.ts';
import { createTokenCache, type HeldToken } from '../token-cache.ts';
import { passOn, refusal, sendError, sendJson } from './answers.ts';
import { createKeptTokens } from './kept-tokens.ts';
import { LIMITS } from './limits.ts';
import { listenOnSocket, type Place } from './listen.ts';
import {
  createCallerCheck,
  createTokenCheck,
  forwardedHeaders,
  minTtlOf,
  readBody,
  rejectedHashOf,
  routeOf,
} from './requests.ts';
import { createBrokerWatch } from './watch.ts';

// An import of node:http would load undici too: 12 MB, in every command.
const { createServer } = process.getBuiltinModule('node:http');

/** Subject that stands for every subject of a connection. */
export const EVERY_SUBJECT = '*';

/** Settings and dependencies of an agent. */
export interface AgentOptions {
  readonly place: Place;
  /** Slots that it serves, and no others; the subject may be `EVERY_SUBJECT`. */
  readonly served: readonly SlotName[];
  /** The agent's own token, which callers send. */
  readonly token: string;
  readonly api: BrokerApi;
  readonly proxy: (connection: string, path: string, init?: ProxyInit) => Promise<Response>;
  /** Path of the broker's URL, without a slash at the end. */
  readonly basePath: string;
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when the broker begins to fail, and when it answers again. */
  readonly report: (line: string) => void;
}

/** A running agent. */
export interface Agent {
  /** `http://127.0.0.1:PORT`, or the path of the socket. */
  readonly address: string;
  /** Stops listening, lets requests at work end for a few seconds, and ends the rest. */
  close(): Promise<void>;
}

/**
 * Starts an agent: tokens and proxied calls for programs of this machine that sign nothing. It serves the named slots
 * in the broker's own paths and shapes. It keeps their tokens, renews them ahead, and hands out a good one while the
 * broker is away. Each request passes the checks of `serve`, in their order. Rejects as `listen` does.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { place, clock, proxy, basePath } = options;
  const watch = createBrokerWatch(options.report);
  const cache = createTokenCache({
    api: watch.watched(options.api),
    budget: options.budget,
    clock,
    random: options.random,
    holdMs: 3_600_000,
    maximumSlots: LIMITS.slots,
  });
  const kept = createKeptTokens({ cache, clock, maximumSlots: LIMITS.slots });
  const server = createLimitedServer();
  const listening =
    'port' in place
      ? await listenAsLocalhost(server, place.port)
      : { port: undefined, close: await listenOnSocket(server, place.socket) };
  const { port } = listening;

  const checkCaller = createCallerCheck(port);
  const checkToken = createTokenCheck(options.token);
  const checkServed = createServedCheck(options.served);
  const requests = createLimit(LIMITS.requests);
  const proxied = createLimit(LIMITS.proxiedCalls);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const [path = '', query = ''] = splitAtQuery(url);
    checkCaller(request);
    const route = routeOf(path);
    if (route.to === 'health') {
      checkMethod(response, method, ['GET']);
      return sendJson(response, 200, { status: 'ok', broker: watch.state() });
    }
    checkToken(request);
    checkServed(route.slot);
    if (route.to === 'proxy') {
      return proxied(() => serveProxy(request, response, { ...route, path: `${route.path}${query}` }));
    }
    checkMethod(response, method, ['GET', 'POST']);
    return requests(() => serveToken(request, response, { slot: route.slot, query }));
  }

  async function serveToken(
    request: IncomingMessage,
    response: ServerResponse,
    { slot, query }: { readonly slot: SlotName; readonly query: string },
  ): Promise<void> {
    const minTtlSeconds = minTtlOf(query);
    const body = await readBody(request, LIMITS.tokenBodyBytes);
    if (request.method === 'POST') {
      const held = await cache.reject(slot, rejectedHashOf(request, body));
      return sendJson(response, 200, handOutOf(held, clock.now(), held.handOut.source));
    }
    const { held, isFromMemory } = await kept.get(slot, minTtlSeconds);
    return sendJson(response, 200, handOutOf(held, clock.now(), isFromMemory ? 'cache' : held.handOut.source));
  }

  async function serveProxy(
    request: IncomingMessage,
    response: ServerResponse,
    { slot, path }: { readonly slot: SlotName; readonly path: string },
  ): Promise<void> {
    const { method = '' } = request;
    const body = await readBody(request, LIMITS.proxiedBodyBytes);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await watch.watching(
      proxy(slot.connection, path, {
        method,
        subject: slot.subject,
        headers: forwardedHeaders(request),
        signal: gone.signal,
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      }),
    );
    await passOn(answer, response, basePath);
  }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response)
      .catch((error: unknown) => {
        // Headers are sent already, so no error can be sent: close the connection.
        if (response.headersSent) response.destroy();
        else sendError(response, error, { isProxied: request.url?.startsWith('/proxy/') === true });
      })
      // An unhandled rejection would end the agent.
      .catch(() => response.destroy());
  });
  const stopRenewing = kept.renewAhead();

  return {
    address: 'socket' in place ? place.socket : `http://127.0.0.1:${port}`,
    async close() {
      stopRenewing();
      const closed = listening.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), LIMITS.stopMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function createLimitedServer(): Server {
  const server = createServer({
    maxHeaderSize: LIMITS.headBytes,
    headersTimeout: LIMITS.headMs,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.idleMs,
    connectionsCheckingInterval: 1_000,
  });
  server.maxConnections = LIMITS.connections;
  return server;
}

/** Creates the check that a slot is among those named at the start. Throws `forbidden`. */
function createServedCheck(served: readonly SlotName[]): (slot: SlotName) => void {
  const names = new Set(served.map(({ connection, subject }) => `${connection}/${subject}`));
  return ({ connection, subject }) => {
    if (names.has(`${connection}/${subject}`) || names.has(`${connection}/${EVERY_SUBJECT}`)) return;
    const detail =
      'This agent was not started for this connection and subject: name them with --connection at its start.';
    throw refusal(403, 'forbidden', detail);
  };
}

/** Creates a limit on work at once. Throws `unavailable` beyond it. */
function createLimit(most: number): (work: () => Promise<void>) => Promise<void> {
  let running = 0;
  return async (work) => {
    if (running >= most) {
      throw refusal(
        503,
        'unavailable',
        `The agent has ${most} such requests at work, and takes no more: ask again.`,
        1_000,
      );
    }
    running += 1;
    try {
      await work();
    } finally {
      running -= 1;
    }
  };
}

/** Throws `method_not_allowed` and names the methods in `Allow`. */
function checkMethod(response: ServerResponse, method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  response.setHeader('allow', allowed.join(', '));
  throw refusal(405, 'method_not_allowed', `The agent takes ${allowed.join(' and ')} here.`);
}

/** Splits a request's target into its path, and its query with the question mark. */
function splitAtQuery(target: string): readonly [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at)];
}

/** Builds the broker's JSON of a hand-out, with what remains of the token now. */
function handOutOf({ handOut, endsAt }: HeldToken, now: number, source: string) {
  return { ...handOut.toWire(), expires_in: Math.max(0, Math.floor((endsAt - now) / 1000)), source };
}
