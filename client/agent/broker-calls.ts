import { createBrokerApi } from '../broker-api.ts';
import type { Endpoint } from '../endpoint.ts';
import { createProxyCall } from '../proxy-call.ts';
import type { RetryBudget, RetryDependencies } from '../retry.ts';
import type { Signer } from '../signing.ts';
import { type Answer, createTransport, type SignedRequest } from '../transport.ts';
import type { AgentOptions } from './agent.ts';

/**
 * Creates the agent's calls of the broker. Tokens are asked for by `node:http`, since Node's `fetch` takes 10 MB when it
 * is first used, and 25 more in a thousand requests. Proxied calls need a `Response`, and take `fetch`.
 */
export function createBrokerCalls({
  endpoint,
  sign,
  budget,
  ...dependencies
}: RetryDependencies & {
  readonly endpoint: Endpoint;
  readonly sign: Signer;
  readonly budget: RetryBudget;
}): Pick<AgentOptions, 'api' | 'proxy'> {
  const forTokens = createTransport({ endpoint, sign, fetch: send });
  const forProxied = createTransport({ endpoint, sign, fetch });
  return {
    api: createBrokerApi({ transport: forTokens, ...dependencies }),
    proxy: createProxyCall({ transport: forProxied, budget, ...dependencies }),
  };
}

/**
 * Sends one request by Node's own agent, which keeps connections open and takes the proxy of the environment as `fetch`
 * does. Follows no redirect. Rejects as `node:http` does; so does the body if it breaks off.
 */
function send(url: string, { method, headers, signal, body }: SignedRequest): Promise<Answer> {
  const { request: open } = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const request = open(url, { method, headers: { ...headers, 'user-agent': 'node' }, signal });
    request.on('error', reject);
    request.once('response', (response) => {
      const { statusCode: status = 0 } = response;
      const get = (name: string) => response.headersDistinct[name]?.join(', ') ?? null;
      resolve({ status, ok: status >= 200 && status < 300, headers: { get }, body: response });
    });
    request.end(body);
  });
}
