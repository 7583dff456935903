import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The start of an agent: its broker and the one connection that it serves. */
export interface AgentOrder {
  readonly brokerUrl: string;
  readonly connection: string;
  readonly token: string;
}

/** Bytes that this process holds, after a collection of garbage. */
export interface AgentMemory {
  /** Node's own, before anything of the agent's was loaded. */
  readonly bare: number;
  readonly resident: number;
  readonly heap: number;
}

const bare = process.memoryUsage.rss();
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Starts an agent as `token-broker agent` does; gives its address. */
async function start({ brokerUrl, connection, token }: AgentOrder): Promise<string> {
  const { startAgent } = await import('../../client/agent/agent.ts');
  const { createBrokerApi } = await import('../../client/broker-api.ts');
  const { systemClock: clock } = await import('../../client/clock.ts');
  const { endpointOf } = await import('../../client/endpoint.ts');
  const { createProxyCall } = await import('../../client/proxy-call.ts');
  const { createSigner } = await import('../../client/signing.ts');
  const { createTransport } = await import('../../client/transport.ts');
  const endpoint = endpointOf({ url: brokerUrl, environment: process.env });
  const transport = createTransport({ endpoint, sign: createSigner({ endpoint, clock }), fetch });
  const [random, budget] = [Math.random, { attempts: 3, timeoutMs: 10_000 }];
  const { address } = await startAgent({
    ...{ place: { port: 0 }, served: [{ connection, subject: '*' }], token, budget, clock, random },
    api: createBrokerApi({ transport, clock, random }),
    proxy: createProxyCall({ transport, budget, clock, random }),
    basePath: '',
    report: () => undefined,
  });
  return address;
}

function memory(): AgentMemory {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { bare, resident: rss, heap: heapUsed };
}

process.on('disconnect', () => process.exit(0));
process.on('message', async (order: AgentOrder | 'memory') =>
  process.send?.(order === 'memory' ? memory() : await start(order)),
);
