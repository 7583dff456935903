import { join } from 'node:path';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { type ApiClient, createApiClient } from '../system/api-client.ts';
import { type BrokerProcess, startBroker } from '../system/broker-process.ts';
import { type Declared, makeFolder, writeBrokerFiles } from '../system/own-broker.ts';

/** One of several broker processes. */
export interface SharedBroker {
  readonly broker: BrokerProcess;
  readonly api: ApiClient;
}

/** Starts a DynamoDB outside of every broker, with files that all brokers started by `start` share. */
export async function openSharedBrokers({
  connections,
  secrets,
  flags = [],
}: Declared & { readonly flags?: readonly string[] }) {
  const folder = await makeFolder();
  const dynamodb = await startEmbeddedDynamodb({});
  const files = await writeBrokerFiles(folder.path, { connections, secrets });
  const running: BrokerProcess[] = [];

  const flagsOf = (endpoint: string) => [
    ...['--dynamodb', endpoint, '--data', join(folder.path, 'data')],
    ...[...files.flags, ...flags],
  ];
  /** Starts one more; it reaches the DynamoDB by `through` where that is given. */
  const start = async (through = dynamodb.endpoint): Promise<SharedBroker> => {
    const broker = await startBroker(flagsOf(through));
    running.push(broker);
    return { broker, api: createApiClient(broker.url) };
  };
  return {
    endpoint: dynamodb.endpoint,
    /** The flags of a broker of this group. */
    flags: flagsOf(dynamodb.endpoint),
    start,
    startMany: (count: number): Promise<readonly SharedBroker[]> =>
      Promise.all(Array.from({ length: count }, () => start())),
    writeSecrets: files.writeSecrets,
    /** Stops what still runs, frozen processes too, then the DynamoDB. */
    async close() {
      for (const broker of running) broker.signal('SIGCONT');
      await Promise.all(running.map((broker) => broker.stop()));
      await dynamodb.close();
      await folder.remove();
    },
  };
}
