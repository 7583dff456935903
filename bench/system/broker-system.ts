import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsClientConfig } from '../../functions/adapters/aws/client.ts';
import { createKmsClient, createKmsRequests } from '../../functions/adapters/aws/kms.ts';
import { createKmsKeys } from '../../functions/adapters/aws/kms-keys.ts';
import type { Item } from '../../functions/adapters/dynamodb/item.ts';
import { systemClock } from '../../functions/adapters/system.ts';
import { startDynamodbFaultProxy } from '../../local/aws/dynamodb-faults.ts';
import { KEY_ALIAS } from '../../local/aws/kms.ts';
import { startLoopbackAws } from '../../local/aws/loopback-aws.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { BROKER, composeFunctions, TABLE } from '../../local/functions.ts';
import { type InvocationOutcome, invoke, type LocalFunction } from '../../local/lambda/invoke.ts';
import { createMemorySecrets } from '../../local/secret-source.ts';
import { makeTables } from '../../local/tables.ts';
import { configurationFor, environmentIn, eventOf, MEASURED, measuredIn } from '../broker.ts';
import { nowhere } from '../warm/handlers.ts';
import { LONG_MS } from '../warm/timing.ts';
import { startDynamodbProcess } from './dynamodb-process.ts';

const ITEMS_A_WRITE = 25;
const STORE_TIMEOUT_MS = 20_000;
const STORE_SOCKETS = 2_000;
/** The upstream knows staff 1 to this. */
const STAFF = 2_000;

/** The whole broker on loopback in this process, everything that is asked of a service counted. */
export type BrokerSystem = Awaited<ReturnType<typeof startBrokerSystem>>;

/**
 * Starts it on a HelpMaster that takes `loginMs` for a login; `settings` are the connection's. The functions ask the
 * store itself where `countsStore` is false, and a proxy of this process otherwise.
 */
export async function startBrokerSystem(
  folder: string,
  loginMs: number,
  { countsStore = true, ...settings }: Readonly<Record<string, unknown>> & { readonly countsStore?: boolean } = {},
) {
  const started = new AsyncDisposableStack();
  const add = <Part extends { close(): Promise<void> }>(part: Part) => started.adopt(part, (each) => each.close());
  try {
    const helpmaster = add(await startDemoHelpmaster());
    helpmaster.setKnobs({ delayMs: loginMs, staff: Array.from({ length: STAFF }, (_, index) => `${index + 1}`) });
    const configuration = configurationFor(helpmaster.baseUrl, settings);
    const secrets = createMemorySecrets({
      versionKey: randomBytes(32),
      nameOf: (connection) => configuration.connections[connection]?.secret ?? connection,
    });
    secrets.put(MEASURED, { ...demoHelpmasterSecret });
    const embedded = add(await startDynamodbProcess());
    const dynamodb = add(await startDynamodbFaultProxy(embedded.endpoint));
    const invocable = new Map<string, LocalFunction>();
    const aws = add(await startLoopbackAws({ secrets, masterKey: randomBytes(32), functions: invocable }));
    const own = await mkdtemp(join(folder, 'system-'));
    const environment = await environmentIn(
      own,
      configuration,
      aws.endpoint,
      (countsStore ? dynamodb : embedded).endpoint,
    );
    await makeTables(environment);
    const functions = composeFunctions(configuration, environment, nowhere());
    for (const [name, target] of functions.invocable) invocable.set(name, target);
    // A thousand instances have a thousand connections, and their store does not tire: it has all the time it takes.
    const client = new DynamoDBClient({
      ...awsClientConfig({ service: 'DYNAMODB' }, environment),
      endpoint: embedded.endpoint,
      requestHandler: { requestTimeout: STORE_TIMEOUT_MS, httpAgent: { keepAlive: true, maxSockets: STORE_SOCKETS } },
    });

    return {
      configuration,
      connection: measuredIn(configuration),
      environment,
      functions,
      helpmaster,
      client,
      keys: createKmsKeys({
        requests: createKmsRequests({ client: createKmsClient(environment), keyId: KEY_ALIAS }),
        broker: BROKER,
        clock: systemClock,
      }),
      /** Requests to services since this was last asked, by `service.Operation`. */
      counts(): Readonly<Record<string, number>> {
        const seen = { ...dynamodb.faults.counts(), ...aws.faults.counts() };
        dynamodb.faults.resetCounts();
        aws.faults.resetCounts();
        return seen;
      },
      async put(items: readonly Item[]) {
        for (let at = 0; at < items.length; at += ITEMS_A_WRITE) {
          const requests = items.slice(at, at + ITEMS_A_WRITE).map((item) => ({ PutRequest: { Item: item } }));
          await client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } }));
        }
      },
      /** One GET of a subject's token, through the token function of this process. Throws where there is none. */
      async handOut(subject: string) {
        const route = functions.routes.find(({ functionName }) => functionName === 'token');
        if (route === undefined) throw new Error('No route hands out tokens.');
        const event = eventOf(`${route.method} ${route.resource}`, { connection: MEASURED, subject });
        const withinMs = route.timeoutMs;
        if (!isOk(await invoke({ ...route, timeoutMs: LONG_MS }, event, { withinMs })))
          throw new Error('The token function gave no token.');
      },
      async close() {
        client.destroy();
        await started.disposeAsync();
      },
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

function isOk(outcome: InvocationOutcome): boolean {
  const { value } = outcome.kind === 'returned' ? outcome : { value: undefined };
  return typeof value === 'object' && value !== null && 'statusCode' in value && value.statusCode === 200;
}
