import * as z from 'zod/mini';
import { errorOf, limitedText } from './answer.ts';
import { slotPath } from './broker-api.ts';
import { TokenBrokerError } from './error.ts';
import { GATEWAY_LATER, type RetryBudget, type RetryDependencies, withRetries } from './retry.ts';
import { type Transport, withTransportErrors } from './transport.ts';

/** As `fetch` takes it, and on whose behalf. The body is held in memory: it is signed whole. */
export interface ProxyInit {
  readonly method?: string;
  readonly headers?: RequestInit['headers'];
  readonly body?: RequestInit['body'];
  readonly signal?: AbortSignal | undefined;
  /** `system` where it is left out. */
  readonly subject?: string | undefined;
}

/** By which the broker marks its own errors among an upstream's answers. */
const ERROR_HEADER = 'token-broker-error';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What API Gateway answers by itself, and how long it may be. */
const bareMessageSchema = z.strictObject({ message: z.nullable(z.string()) });
const LONGEST_BARE_MESSAGE_BYTES = 512;
/** The origin of a request that is only built to be read. */
const NOWHERE = 'http://upstream.invalid';

/**
 * Creates the calls through the broker: neither token nor credential comes here. Answers of the upstream are given as
 * they are, whatever their status; the broker's own errors and its API's are thrown. Only GET, HEAD and OPTIONS are
 * tried again. A 429, 502, 503 or 504 with nothing but `{"message"}` in it counts as the API's: the two look the same.
 */
export function createProxyCall({
  transport,
  budget,
  ...dependencies
}: RetryDependencies & { readonly transport: Transport; readonly budget: RetryBudget }): (
  connection: string,
  path: string,
  init?: ProxyInit,
) => Promise<Response> {
  return async (connection, path, { subject = 'system', signal, ...init } = {}) => {
    const target = proxyTarget(`/proxy/${slotPath({ connection, subject })}`, path);
    const { method, headers, body } = await readRequest(init);
    if ('authorization' in headers) {
      throw new TokenBrokerError('usage', 'The broker places the token: leave Authorization out.');
    }
    const limits = { ...budget, signal, attempts: SAFE_METHODS.has(method) ? budget.attempts : 1 };
    return withRetries(dependencies, limits, (leftMs) =>
      // The limit spans the body of an error too.
      withTransportErrors({ timeoutMs: leftMs, signal, what: 'the broker' }, async (limit) => {
        const response = await transport({ method, target, headers, body }, { timeoutMs: leftMs, signal: limit });
        if (response.headers.has(ERROR_HEADER)) throw errorOf(response, await limitedText(response));
        if (!mayBeTheApis(response)) return response;
        const text = await limitedText(response.clone());
        if (bareMessageSchema.safeParse(parsed(text)).success) throw errorOf(response, text);
        return response;
      }),
    );
  };
}

/** API Gateway puts its request id on every answer, so the body must tell; its own are short, and say how long. */
function mayBeTheApis({ status, headers }: Response): boolean {
  if (!GATEWAY_LATER.has(status) || !headers.has('apigw-requestid')) return false;
  const length = Number(headers.get('content-length') ?? 0);
  return length > 0 && length <= LONGEST_BARE_MESSAGE_BYTES;
}

/** The target of a proxied path, which may not climb out of its slot. */
function proxyTarget(prefix: string, path: string): string {
  const url = path.startsWith('/') ? URL.parse(`${NOWHERE}${prefix}${path}`) : null;
  if (url === null || !url.pathname.startsWith(`${prefix}/`)) {
    throw new TokenBrokerError('usage', 'The path begins with / and holds no dot segments.');
  }
  return `${url.pathname}${url.search}`;
}

/**
 * Method, headers and bytes as `fetch` would send them, with the media type that a form brings along. Rejects with
 * `usage` for what `fetch` would refuse, and for a body that cannot be read.
 */
async function readRequest(init: Pick<ProxyInit, 'method' | 'headers' | 'body'>) {
  const { method = 'GET', headers, body } = init;
  try {
    const request = new Request(NOWHERE, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined || body === null ? {} : { body, duplex: 'half' }),
    });
    const bytes = new Uint8Array(await request.arrayBuffer());
    return {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: bytes.byteLength === 0 ? undefined : bytes,
    };
  } catch {
    // What was thrown may quote a header's value.
    throw new TokenBrokerError(
      'usage',
      'No request can be made of this: check the method (no CONNECT, TRACE or TRACK), the headers, and that the body can be read and is not given with GET or HEAD.',
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
