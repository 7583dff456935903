import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A proxy before a DynamoDB that can keep requests back and deliver them late, as a frozen network does. */
export interface HoldingProxy {
  readonly endpoint: string;
  /** Holds requests back from now on. */
  hold(): void;
  /** The bodies of requests that are kept back. */
  held(): readonly string[];
  /** Delivers what was kept back, and settles when all of it was answered; gives the statuses. */
  release(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Starts it on 127.0.0.1; it delivers also for a client that has gone or does not move. */
export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is never a pipe's name.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    hold() {
      isHolding = true;
    },
    held: () => kept.map(({ body }) => body),
    async release() {
      isHolding = false;
      return Promise.all(kept.splice(0).map(({ deliver }) => deliver()));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
