import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createLoopbackGuard } from '../../client/dashboard/loopback-guard.ts';
import { createUserGuard } from '../../client/dashboard/same-user.ts';
import { listenAsLocalhost } from '../../client/localhost.ts';
import { KEEP_ALIVE_MS } from '../aws/loopback-server.ts';
import { invoke } from '../lambda/invoke.ts';
import { readBody } from './body.ts';
import { superviseConnections } from './connections.ts';
import { createEvent } from './event.ts';
import { type ReceivedRequest, receiveRequest } from './received-request.ts';
import {
  fitsLambdaPayload,
  type GatewayResponse,
  refusalResponse,
  responseFromResult,
  sendResponse,
} from './response.ts';
import { createRouter, type GatewayRoute, type RouteMatch } from './routes.ts';
import { createSignatureVerifier } from './sigv4.ts';

export type { GatewayRoute } from './routes.ts';

/** Page that only the local gateway has. An error becomes a 500; the return value is awaited and ignored. */
export type LocalPage = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Report of a function that failed. */
export interface GatewayErrorReport {
  readonly functionName: string;
  readonly requestId: string;
}

/** Settings and dependencies of a gateway. */
export interface GatewayOptions {
  /** Port; 0 picks a free one. */
  readonly port: number;
  readonly routes: readonly GatewayRoute[];
  /** ARN for `requestContext.identity.userArn` on `AWS_IAM` routes. */
  readonly caller: string;
  /** True if `AWS_IAM` routes refuse unsigned requests; otherwise `Authorization` is ignored. */
  readonly requireSigv4: boolean;
  /** True if other users of this machine are refused, where the system tells users apart. */
  readonly onlyThisUser?: boolean;
  /** Pages by `GET /path`; they precede all routes, also for HEAD. */
  readonly pages?: ReadonlyMap<string, LocalPage>;
  readonly onError?: (report: GatewayErrorReport) => void;
  /** Told how many requests a close left without an answer, if any. */
  readonly onCut?: (requests: number) => void;
  /** Clock in epoch milliseconds; default the wall clock. */
  readonly now?: () => number;
  /** Limit of the API on waiting for a function, whatever the function's own timeout; default 29 s. */
  readonly integrationTimeoutMs?: number;
}

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** Stops listening, gives requests in flight 2 s to end, and closes every connection. */
  close(): Promise<void>;
}

const NOT_FROM_HERE =
  'This broker answers programs of the user who started it, at 127.0.0.1 or localhost and its own port, and no page of another site.';
const DEFAULT_INTEGRATION_TIMEOUT_MS = 29_000;
// Above this the server itself answers 431 and closes. It leaves room for the gateway's own 431, which keeps the
// connection.
const MAX_HEADER_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Starts an HTTP server on `localhost` that calls Lambda handlers as an API Gateway REST API does.
 *
 * Facts relied on: payload format 1.0 of the stage `v1`, which a path may leave out here. The API's own answers are
 * its gateway responses, in the broker's shape: 400; 403 for a missing or wrong signature and for a path without a
 * resource; 413 over 10 MB (or over Lambda's 6 MB as an event); 431 over 10,240 bytes of request line and headers. A
 * function that throws, times out or answers nonsense gives 503; only one that outlives the API's 29 s gives 504.
 *
 * Accepts only requests for this machine's own name and port. Rejects if the port is taken.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const serve = createPipeline(options);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  const connections = superviseConnections(server, options.onCut);
  const isOfThisUser = options.onlyThisUser === true ? createUserGuard(server) : () => true;

  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const listening = await listenAsLocalhost(server, options.port);
  const { port } = listening;
  const isForThisMachine = createLoopbackGuard(port);

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID();
    connections.begin(request, response);
    serve({ request, response, requestId, port, isForThisMachine, isOfThisUser })
      .then((answer) => {
        if (answer === undefined) return;
        const close = answer.close === true || connections.isClosing();
        sendResponse(response, answer, { requestId, close });
      })
      .catch(() => response.destroy());
  };
  server.on('request', onRequest);
  // Without this listener Node would send every client a 100; the body's reader decides.
  server.on('checkContinue', onRequest);

  return { url: `http://127.0.0.1:${port}`, port, close: () => connections.close(listening.close) };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly port: number;
  readonly isForThisMachine: (received: ReceivedRequest) => boolean;
  readonly isOfThisUser: (socket: Socket) => boolean;
}

type Answer = GatewayResponse & { readonly close?: boolean };

/** Creates the handling of a request. It never rejects; `undefined` means that nothing is left to answer. */
function createPipeline(options: GatewayOptions): (exchange: Exchange) => Promise<Answer | undefined> {
  const { pages } = options;
  const route = createRouter(options.routes);
  const verifySignature = createSignatureVerifier();
  const now = options.now ?? Date.now;
  const integrationTimeoutMs = options.integrationTimeoutMs ?? DEFAULT_INTEGRATION_TIMEOUT_MS;

  /** Reports a failure and creates its answer. */
  function failed(functionName: string, requestId: string): Answer {
    try {
      options.onError?.({ functionName, requestId });
    } catch {
      // The client gets its answer even if the log is broken.
    }
    return refusalResponse('DEFAULT_5XX', { requestId });
  }

  async function serve(exchange: Exchange): Promise<Answer | undefined> {
    const { requestId } = exchange;
    const received = receiveRequest(exchange.request);
    if ('unreadable' in received) {
      const status = received.unreadable === 'headersTooLarge' ? 431 : 400;
      return refusalResponse('DEFAULT_4XX', { requestId, status });
    }
    const isFromHere = exchange.isOfThisUser(exchange.request.socket) && exchange.isForThisMachine(received);
    if (!isFromHere) return refusalResponse('DEFAULT_4XX', { requestId, status: 403, detail: NOT_FROM_HERE });

    const page = pages?.get(`${received.method === 'HEAD' ? 'GET' : received.method} ${received.rawPath}`);
    if (page !== undefined) return servePage(page, exchange);

    const match = route(received.method, received.path);
    if (match === undefined) return refusalResponse('MISSING_AUTHENTICATION_TOKEN', { requestId });

    const body = await readBody(exchange.request, exchange.response, received);
    if (body.kind === 'aborted') return undefined;
    if (body.kind === 'tooLarge')
      return { ...refusalResponse('REQUEST_TOO_LARGE', { requestId }), close: !body.drained };
    if (options.requireSigv4 && match.route.authorization === 'AWS_IAM') {
      if (!received.headers.has('authorization')) return refusalResponse('MISSING_AUTHENTICATION_TOKEN', { requestId });
      const isGood = await verifySignature(received, body.bytes, now());
      if (!isGood) return refusalResponse('INVALID_SIGNATURE', { requestId });
    }
    return run(exchange, received, match, body.bytes);
  }

  async function run(
    { request, requestId, port }: Exchange,
    received: ReceivedRequest,
    match: RouteMatch,
    body: Buffer,
  ): Promise<Answer> {
    const event = createEvent({
      received,
      match,
      body,
      caller: options.caller,
      requestId,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      httpVersion: request.httpVersion,
      port,
      time: now(),
    });
    if (!fitsLambdaPayload(event, event.body ?? '')) return refusalResponse('REQUEST_TOO_LARGE', { requestId });

    const { functionName, timeoutMs } = match.route;
    const withinMs = Math.min(timeoutMs, integrationTimeoutMs);
    const outcome = await invoke(match.route, event, { requestId, now, withinMs });
    if (outcome.kind === 'returned') {
      try {
        return responseFromResult(outcome.value);
      } catch {
        // Reported below, as a function that failed.
      }
    }
    const answer = failed(functionName, requestId);
    return outcome.kind === 'timed-out' && withinMs < timeoutMs
      ? refusalResponse('INTEGRATION_TIMEOUT', { requestId })
      : answer;
  }

  async function servePage(page: LocalPage, { request, response, requestId }: Exchange): Promise<Answer | undefined> {
    try {
      await page(request, response);
      return undefined;
    } catch {
      return failed('page', requestId);
    }
  }

  return (exchange) => serve(exchange).catch(() => failed('gateway', exchange.requestId));
}
