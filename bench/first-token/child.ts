import { type BrokerSystem, startBrokerSystem } from '../system/broker-system.ts';
import { type Hop, recordHops } from './hops.ts';

/** One first token: how long it took, and the requests that it was made of, from when it was asked for. Milliseconds. */
export interface FirstToken {
  readonly tookMs: number;
  readonly hops: readonly Hop[];
}

interface Order {
  readonly folder: string;
  readonly loginMs: number;
  readonly count: number;
}

/** Asks for the first tokens of so many empty slots, one after the other; the first one finds everything cold. */
async function askFirst({ folder, loginMs, count }: Order): Promise<readonly FirstToken[]> {
  const system = await startBrokerSystem(folder, loginMs, { countsStore: false });
  const hosts = hostsOf(system);
  const tokens: FirstToken[] = [];
  try {
    for (let subject = 1; subject <= count; subject += 1) {
      const began = performance.now();
      const hops = await recordHops(hosts, () => system.handOut(`${subject}`));
      const tookMs = performance.now() - began;
      tokens.push({
        tookMs,
        hops: hops.map((hop) => ({ ...hop, began: hop.began - began, ended: hop.ended - began })),
      });
    }
    return tokens;
  } finally {
    await system.close();
  }
}

/** The hosts that the functions ask: AWS, the store and the upstream. */
function hostsOf({ environment, helpmaster }: BrokerSystem): ReadonlySet<string> {
  const { AWS_ENDPOINT_URL: aws, AWS_ENDPOINT_URL_DYNAMODB: dynamodb } = environment;
  return new Set([aws, dynamodb, helpmaster.baseUrl].map((url) => new URL(url ?? '').host));
}

if (import.meta.main) {
  process.on('disconnect', () => process.exit(0));
  process.once('message', async (order: Order) => process.send?.(await askFirst(order)));
}
