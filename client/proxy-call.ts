import { errorOf, limitedText } from './answer.ts';
import { slotPath } from './broker-api.ts';
import { TokenBrokerError } from './error.ts';
import { type RetryBudget, type RetryDependencies, withRetries } from './retry.ts';
import { type Transport, withTransportErrors } from './transport.ts';

/** Options of `fetch`, and a subject. The body is held in memory, because it is signed whole. */
export interface ProxyInit {
  readonly method?: string;
  readonly headers?: RequestInit['headers'];
  readonly body?: RequestInit['body'];
  readonly signal?: AbortSignal | undefined;
  /** Default `system`. */
  readonly subject?: string | undefined;
}

/** Header of every answer of an upstream, and of no other. */
const UPSTREAM_HEADER = 'token-broker-upstream';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Character in place of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';
/** Origin of a request that is built to be read, and never sent. */
const NOWHERE = 'http://upstream.invalid';

/**
 * Creates `proxy`: calls through the broker, which never sends token or credential here. Returns the upstream's answers
 * whatever their status; throws the errors of the broker, of its API and of what stands before it: an answer without
 * the mark of an upstream's is none. Retries only GET, HEAD and OPTIONS.
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
      // The limit includes the body of an error.
      withTransportErrors({ timeoutMs: leftMs, signal, what: 'the broker' }, async (limit) => {
        const response = await transport({ method, target, headers, body }, { timeoutMs: leftMs, signal: limit });
        if (response.headers.has(UPSTREAM_HEADER)) return response;
        throw errorOf(response, await limitedText(response));
      }),
    );
  };
}

/**
 * Builds the target of a proxied path. Throws if it would be changed on the way: a URL resolves dot segments, makes a
 * slash of `\\`, and drops tabs, line ends and blanks at its end. A fragment stays here, as with `fetch`.
 */
function proxyTarget(prefix: string, path: string): string {
  const [written = ''] = path.split('#');
  const url = path.startsWith('/') ? URL.parse(`${NOWHERE}${prefix}${written}`) : null;
  const target = url === null ? '' : `${url.pathname}${url.search}`;
  const sent = decode(target);
  if (sent === undefined || sent.includes(REPLACEMENT)) {
    throw new TokenBrokerError(
      'usage',
      'Path and query are percent-encoded UTF-8: other bytes would be lost on the way.',
    );
  }
  // A URL drops a `?` with nothing behind it.
  if (sent === decode(`${prefix}${written.replace(/^([^?]*)\?$/, '$1')}`)) return target;
  throw new TokenBrokerError(
    'usage',
    'The path begins with / and holds no dot segments, no backslash, no control characters, and no blank at its end.',
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads method, headers and body as `fetch` would send them, with a form's media type. Rejects with `usage` for input
 * that `fetch` would refuse, and for a body that cannot be read.
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
    // The error may quote a header's value.
    throw new TokenBrokerError(
      'usage',
      'No request can be made of this: check the method (no CONNECT, TRACE or TRACK), the headers, and that the body can be read and is not given with GET or HEAD.',
    );
  }
}
