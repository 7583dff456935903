import type { IncomingMessage, ServerResponse } from 'node:http';
import { createBrokerApi } from '../broker-api.ts';
import { systemClock } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import { listenAsLocalhost } from '../localhost.ts';
import type { Transport } from '../transport.ts';
import { createLoopbackGuard } from './loopback-guard.ts';
import { sendJson } from './page-request.ts';
import { createDashboardPages } from './pages.ts';
import type { Past } from './past.ts';
import { createUserGuard } from './same-user.ts';
import { offerSubjects } from './state.ts';

// An import of node:http would load undici too: 12 MB, in every command.
const { createServer } = process.getBuiltinModule('node:http');

/** Running server of one broker's page. */
export interface Dashboard {
  readonly url: string;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

/** Polling interval. Each poll costs requests at a deployed API, which has a price and a throttle. */
const LOOK_EVERY_MS = 5_000;
/** Interval of the looks at the history: metrics have one number a minute, and reading them has a price. */
const HISTORY_EVERY_MS = 60_000;

/**
 * Starts the page of the broker at `endpoint` on `localhost`, for this machine's own names and `port` only; 0 picks a
 * free one. Everything that the page asks for is a call of the broker by `transport`. Rejects as `listen` does if the
 * port is taken.
 */
export async function startDashboard({
  port,
  endpoint,
  transport,
  past,
}: {
  readonly port: number;
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly past: Past;
}): Promise<Dashboard> {
  const pages = createDashboardPages({
    api: createBrokerApi({ transport, clock: systemClock, random: Math.random }),
    past,
    besideConnection: ({ subjects }) => offerSubjects(subjects),
    beside: () => ({
      abilities: [],
      look_every_ms: LOOK_EVERY_MS,
      history_every_ms: HISTORY_EVERY_MS,
      note: `The broker at ${endpoint.base}.`,
    }),
  });
  const server = createServer();
  const isOfThisUser = createUserGuard(server);
  const listening = await listenAsLocalhost(server, port);
  const isForThisMachine = createLoopbackGuard(listening.port);

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headersDistinct } = request;
    const headers = new Map(
      Object.entries(headersDistinct).map(([name, values = []]): [string, string] => [name, values.join(',')]),
    );
    // A target in absolute form matches no page, so its authority need not be checked.
    if (!isOfThisUser(request.socket) || !isForThisMachine({ headers, authority: undefined })) {
      sendJson(response, 403, { message: 'Only this user of this machine may ask, by its own name.' });
      return;
    }
    const [path = ''] = url.split('?');
    const page = pages.get(`${method === 'HEAD' ? 'GET' : method} ${path}`);
    if (page === undefined) {
      sendJson(response, 404, { message: 'There is no such page.' });
      return;
    }
    page(request, response).catch(() => {
      // An unexpected error may quote anything, so its message is left out.
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { message: 'Something unforeseen happened in token-broker dashboard.' });
    });
  });

  return {
    url: `http://127.0.0.1:${listening.port}`,
    async close() {
      const closed = listening.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
