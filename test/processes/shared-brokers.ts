import { join } from 'node:path';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { type ApiClient, createApiClient } from '../system/api-client.ts';
import { type BrokerProcess, startBroker } from '../system/broker-process.ts';
import { type Declared, makeFolder, type SecretValues, writeBrokerFiles } from '../system/own-broker.ts';

/** One of several broker processes. */
export interface SharedBroker {
  readonly broker: BrokerProcess;
  readonly api: ApiClient;
}

/** A DynamoDB outside of every broker, and files that all brokers started here share. */
export interface SharedBrokers {
  /** The URL of DynamoDB. */
  readonly endpoint: string;
  /** The flags of a broker of this group. */
  readonly flags: readonly string[];
  /** Starts one more; it reaches the DynamoDB by `through` where that is given. */
  start(through?: string): Promise<SharedBroker>;
  startMany(count: number): Promise<readonly SharedBroker[]>;
  writeSecrets(secrets: SecretValues): Promise<void>;
  /** Stops what still runs, frozen processes too, then the DynamoDB. */
  close(): Promise<void>;
}

/** Starts the DynamoDB; brokers come with `start`. */
export async function openSharedBrokers({
  connections,
  secrets,
  flags = [],
}: Declared & { readonly flags?: readonly string[] }): Promise<SharedBrokers> {
  const folder = await makeFolder();
  const dynamodb = await startEmbeddedDynamodb({});
  const files = await writeBrokerFiles(folder.path, { connections, secrets });
  const running: BrokerProcess[] = [];

  const flagsOf = (endpoint: string) => [
    ...['--dynamodb', endpoint, '--data', join(folder.path, 'data')],
    ...[...files.flags, ...flags],
  ];
  const start = async (through = dynamodb.endpoint): Promise<SharedBroker> => {
    const broker = await startBroker(flagsOf(through));
    running.push(broker);
    return { broker, api: createApiClient(broker.url) };
  };
  return {
    endpoint: dynamodb.endpoint,
    flags: flagsOf(dynamodb.endpoint),
    start,
    startMany: (count) => Promise.all(Array.from({ length: count }, () => start())),
    writeSecrets: files.writeSecrets,
    async close() {
      for (const broker of running) broker.signal('SIGCONT');
      await Promise.all(running.map((broker) => broker.stop()));
      await dynamodb.close();
      await folder.remove();
    },
  };
}
