import type { Endpoint } from './endpoint.ts';
import { TokenBrokerError } from './error.ts';
import type { Signer } from './signing.ts';

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request to the broker. */
export interface BrokerRequest {
  readonly method: string;
  /** Path and query, relative to the broker's URL. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** The part of a `Response` that the calls of the broker's API read. Headers are asked for in lowercase. */
export interface Answer extends Pick<Response, 'status' | 'ok'> {
  readonly headers: Pick<Headers, 'get'>;
  readonly body: AsyncIterable<unknown> | null;
}

/** Options of `fetch` that the transport gives. */
export interface SignedRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
  readonly body?: NonNullable<RequestInit['body']>;
}

/** Sends one signed request. Rejects with `network`, `timeout` or `credentials`, or with the reason of `signal`. */
export type Transport<A extends Answer = Response> = (
  request: BrokerRequest,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
) => Promise<A>;

/** Creates the transport to the broker. It tries once, and follows no redirect: a signature is for one URL. */
export function createTransport<A extends Answer>({
  endpoint,
  sign,
  fetch,
}: {
  readonly endpoint: Endpoint;
  readonly sign: Signer;
  readonly fetch: (url: string, request: SignedRequest) => Promise<A>;
}): Transport<A> {
  return async ({ method, target, headers = {}, body }, { timeoutMs, signal }) => {
    const url = new URL(`${endpoint.base}${target}`);
    // Encoded as the signer does it, so that both sides sign the same query.
    url.search = [...url.searchParams].map((pair) => pair.map(encodeRfc3986).join('=')).join('&');
    const signed = await sign({ method, url, headers, body });
    return withTransportErrors({ timeoutMs, signal, what: 'the broker' }, (limit) =>
      fetch(url.href, {
        method,
        headers: signed,
        redirect: 'manual',
        signal: limit,
        ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      }),
    );
  };
}

/** Runs work under a time limit, and turns its failures into a `TokenBrokerError`. */
export async function withTransportErrors<T>(
  {
    timeoutMs,
    signal,
    what,
  }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined; readonly what: string },
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs)));
  try {
    return await work(signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof TokenBrokerError) throw error;
    if (timeout.aborted) {
      throw new TokenBrokerError('timeout', `There was no whole answer of ${what} within ${Math.round(timeoutMs)} ms.`);
    }
    throw new TokenBrokerError('network', `No connection to ${what}: ${reasonOf(error)}.`);
  }
}

/** Describes why a fetch failed, to follow a colon. The error's own message is left out: it may quote a URL. */
function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : undefined;
    if (code !== undefined) return describeCode(code);
  }
  return 'the connection failed';
}

function describeCode(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection is refused (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its name cannot be resolved (${code}). Check the URL and DNS`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `the connection broke off (${code})`;
    default:
      return /CERT|SIGNED|TLS|SSL/.test(code) ? `its certificate is not trusted (${code})` : code;
  }
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
