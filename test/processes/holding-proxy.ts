import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

/**
 * Starts a proxy on 127.0.0.1 before a DynamoDB that can keep requests back and deliver them late, as a frozen network
 * does; it delivers also for a client that has gone or does not move.
 */
export async function startHoldingProxy(target: string) {
  const { host } = new URL(target);
  const kept: { readonly body: string; deliver(): Promise<number> }[] = [];
  let isHolding = false;

  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming).catch(() => undefined);
    if (body === undefined) return;
    const deliver = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const { method, url = '/', headers } = incoming;
        const forwarded = request(new URL(url, target), {
          ...(method === undefined ? {} : { method }),
          headers: { ...headers, host },
          agent: false,
        });
        forwarded.once('error', reject);
        forwarded.once('response', async (response) => {
          const answer = await buffer(response);
          const { statusCode = 502 } = response;
          outgoing.writeHead(statusCode, response.headers).end(answer);
          resolve(statusCode);
        });
        forwarded.end(body);
      });
    if (isHolding) kept.push({ body: body.toString('utf8'), deliver });
    else await deliver().catch(() => outgoing.destroy());
  });
  return {
    endpoint: await listenOnLoopback(server, 0),
    /** Holds requests back from now on. */
    hold() {
      isHolding = true;
    },
    /** The bodies of requests that are kept back. */
    held: () => kept.map(({ body }) => body),
    /** Delivers what was kept back, and settles when all of it was answered; gives the statuses. */
    async release() {
      isHolding = false;
      return Promise.all(kept.splice(0).map(({ deliver }) => deliver()));
    },
    close: () => closeServer(server),
  };
}
