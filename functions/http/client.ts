import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { readBody } from './body.ts';
import type { Phase } from './failure.ts';
import { guardedLookup } from './guarded-lookup.ts';
import type { Http, HttpFailure, HttpHeaders, HttpRequest, HttpResponse } from './port.ts';
import { isRefusedAddress } from './refused-address.ts';
import { USER_AGENT } from './user-agent.ts';

const MAXIMUM_BODY_BYTES = 65_536;
/** Node takes 16 KB, which one long token in a header is over. */
const MAXIMUM_HEAD_BYTES = 65_536;

/**
 * HTTP/1.1 to upstreams: one request over one fresh connection, nothing followed, nothing repeated, nothing kept.
 * Never rejects; no failure carries anything of the request. Without `caCertificate` the public authorities count,
 * with it that one alone.
 */
export function createUpstreamHttp(): Http {
  return {
    async send(request) {
      const target = parseTarget(request.url);
      if (target === undefined) return { kind: 'failure', reason: 'request', sent: false };
      if (isRefusedAddress(bareHost(target))) return { kind: 'failure', reason: 'refused_address', sent: false };
      // Load it at first use: a static import would slow down every cold start, even of functions that only read.
      const { request: open } = target.protocol === 'https:' ? await import('node:https') : await import('node:http');
      return exchange(request, (options) => open(target, options));
    },
  };
}

/** Makes the request and settles once: with the answer, the failure, or the end of the time allowed. */
function exchange(
  request: HttpRequest,
  open: (options: RequestOptions) => ClientRequest,
): Promise<HttpResponse | HttpFailure> {
  return new Promise((resolve) => {
    let phase: Phase = 'connecting';
    let outgoing: ClientRequest | undefined;

    function settle(result: HttpResponse | HttpFailure | Promise<HttpFailure>): void {
      clearTimeout(timer);
      resolve(result);
      outgoing?.destroy();
    }
    const timer = setTimeout(
      () => settle({ kind: 'failure', reason: 'timeout', sent: phase === 'sent' }),
      request.timeoutMs,
    );

    try {
      outgoing = open(buildOptions(request));
    } catch {
      settle({ kind: 'failure', reason: 'request', sent: false });
      return;
    }
    const isTls = outgoing.protocol === 'https:';
    outgoing.once('socket', (socket) => {
      socket.once('connect', () => (phase = isTls ? 'securing' : 'sent'));
      socket.once('secureConnect', () => (phase = 'sent'));
    });
    outgoing.on('error', (error) => settle(sortError(error, phase)));
    outgoing.once('upgrade', () => settle({ kind: 'failure', reason: 'protocol', sent: true }));
    outgoing.once('response', (response) => {
      readAnswer(response, request.maximumBodyBytes ?? MAXIMUM_BODY_BYTES).then(settle, () =>
        settle({ kind: 'failure', reason: 'protocol', sent: true }),
      );
    });
    outgoing.end(request.body);
  });
}

/** Sorts an error by codes that are loaded only once there is one. */
async function sortError(error: unknown, phase: Phase): Promise<HttpFailure> {
  const { failureOf } = await import('./failure.ts');
  return failureOf(error, phase);
}

function buildOptions(request: HttpRequest): RequestOptions {
  const length = request.body === undefined ? undefined : Buffer.byteLength(request.body);
  return {
    method: request.method,
    headers: {
      'user-agent': USER_AGENT,
      'accept-encoding': 'identity',
      ...request.headers,
      ...(length === undefined ? {} : { 'content-length': String(length) }),
    },
    agent: false,
    lookup: guardedLookup,
    maxHeaderSize: MAXIMUM_HEAD_BYTES,
    // Set it explicitly, so that no environment variable turns it off.
    rejectUnauthorized: true,
    // What the connection names is trusted, though it be an intermediate whose root nobody gave.
    ...(request.caCertificate === undefined ? {} : { ca: request.caCertificate, allowPartialTrustChain: true }),
    ...request.certificate,
  };
}

async function readAnswer(response: IncomingMessage, maximumBytes: number): Promise<HttpResponse | HttpFailure> {
  const body = await readBody(response, maximumBytes);
  if (typeof body === 'string') return { kind: 'failure', reason: body, sent: true };
  const { 'content-encoding': _, ...others } = response.headersDistinct;
  const { bytes, codings } = body;
  const headers: HttpHeaders = codings.length === 0 ? others : { ...others, 'content-encoding': [codings.join(', ')] };
  return { kind: 'response', status: response.statusCode ?? 0, headers, body: bytes };
}

function parseTarget(url: string): URL | undefined {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  return target?.protocol === 'https:' || target?.protocol === 'http:' ? target : undefined;
}

function bareHost(target: URL): string {
  return target.hostname.replace(/^\[|\]$/g, '');
}
