import { errorOf } from './answer.ts';
import { slotPath } from './broker-api.ts';
import { TokenBrokerError } from './error.ts';
import { type RetryBudget, type RetryDependencies, withRetries } from './retry.ts';
import type { Transport } from './transport.ts';

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
/** The origin of a request that is only built to be read. */
const NOWHERE = 'http://upstream.invalid';

/**
 * Creates the calls through the broker: neither token nor credential comes here. Answers of the upstream are given as
 * they are, whatever their status; the broker's own errors are thrown. Only GET, HEAD and OPTIONS are tried again.
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
    const given = new Headers(init.headers);
    if (given.has('authorization')) {
      throw new TokenBrokerError('usage', 'The broker places the token: leave Authorization out.');
    }
    const { method, headers, body } = await readRequest(init);
    const limits = { ...budget, signal, attempts: SAFE_METHODS.has(method) ? budget.attempts : 1 };
    return withRetries(dependencies, limits, async (leftMs) => {
      const response = await transport({ method, target, headers, body }, { timeoutMs: leftMs, signal });
      if (response.headers.has(ERROR_HEADER)) throw errorOf(response, await response.text());
      return response;
    });
  };
}

/** The target of a proxied path, which may not climb out of its slot. */
function proxyTarget(prefix: string, path: string): string {
  const url = path.startsWith('/') ? URL.parse(`${NOWHERE}${prefix}${path}`) : null;
  if (url === null || !url.pathname.startsWith(`${prefix}/`)) {
    throw new TokenBrokerError('usage', 'The path begins with / and holds no dot segments.');
  }
  return `${url.pathname}${url.search}`;
}

/** Method, headers and bytes as `fetch` would send them, with the media type that a form brings along. */
async function readRequest(init: Pick<ProxyInit, 'method' | 'headers' | 'body'>) {
  const { method = 'GET', headers, body } = init;
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
}
