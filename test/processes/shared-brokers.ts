import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { type ApiClient, createApiClient } from '../system/api-client.ts';
import { type BrokerProcess, startBroker } from '../system/broker-process.ts';
import { makeFolder, type SecretValues } from '../system/own-broker.ts';

/** One of several broker processes. */
export interface SharedBroker {
  readonly broker: BrokerProcess;
  readonly api: ApiClient;
}

/** A DynamoDB outside of every broker, and files that all brokers started here share. */
export interface SharedBrokers {
  /** Where the DynamoDB is. */
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
}: {
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secrets: SecretValues;
  readonly flags?: readonly string[];
}): Promise<SharedBrokers> {
  const folder = await makeFolder();
  const dynamodb = await startEmbeddedDynamodb({});
  const connectionsFile = join(folder.path, 'connections.json');
  const secretsFile = join(folder.path, 'secrets.json');
  const running: BrokerProcess[] = [];

  const writeSecrets = async (values: SecretValues): Promise<void> => {
    await writeFile(`${secretsFile}.draft`, JSON.stringify(values), { mode: 0o600 });
    await rename(`${secretsFile}.draft`, secretsFile);
  };
  await writeFile(connectionsFile, JSON.stringify({ connections }));
  await writeSecrets(secrets);

  const flagsOf = (endpoint: string) => [
    ...['--dynamodb', endpoint, '--data', join(folder.path, 'data')],
    ...['--connections', connectionsFile, '--secrets', secretsFile, ...flags],
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
    writeSecrets,
    async close() {
      for (const broker of running) broker.signal('SIGCONT');
      await Promise.all(running.map((broker) => broker.stop()));
      await dynamodb.close();
      await folder.remove();
    },
  };
}
