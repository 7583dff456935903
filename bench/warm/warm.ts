import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { createDynamodbClient } from '../../functions/adapters/dynamodb/client.ts';
import { keyOf, recordIn } from '../../functions/adapters/dynamodb/item.ts';
import { createDynamodbStore } from '../../functions/adapters/dynamodb/store.ts';
import { createObservability, type Observability } from '../../functions/adapters/observability.ts';
import { systemClock, systemRandom } from '../../functions/adapters/system.ts';
import type { ApiHandler } from '../../functions/api/function.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { Keys } from '../../functions/core/slot/keys.ts';
import type { MintInvoker } from '../../functions/core/slot/minter.ts';
import { openToken } from '../../functions/core/slot/open-token.ts';
import { SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { createTokenFunction } from '../../functions/token/function.ts';
import { BROKER, TABLE } from '../../local/functions.ts';
import { configurationFor, HAND_OUT_EVENT, measuredIn } from '../broker.ts';
import { answersFor } from '../loopback/answers.ts';
import { startAwsEndpoint } from '../loopback/aws-endpoint.ts';
import { selfSigned } from '../loopback/certificate.ts';
import { type SealedSlot, sealedSlot } from '../loopback/sealed-slot.ts';
import { type Case, runRounds } from '../rounds.ts';
import type { BenchOptions, Section } from '../section.ts';
import { type Answer, bareHandler, bareMiddy, nowhere, unreachable, usualStack } from './handlers.ts';
import { CASES, reportWarm } from './report.ts';
import { longContext, timeHandler, timeWork } from './timing.ts';

const ROUNDS = { quick: 2, full: 21 };
const MEMORY_CALLS = { quick: 2_000, full: 20_000 };
const STORE_CALLS = { quick: 50, full: 1_500 };
const OPEN_CALLS = { quick: 500, full: 5_000 };

/** Measures the token function in this process: hits in memory and in the store, beside bare handlers. */
export async function benchWarm({ quick, folder }: BenchOptions): Promise<Section> {
  const size = quick ? 'quick' : 'full';
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  const { setDefaultCACertificates } = await import('node:tls');
  const { readFileSync } = await import('node:fs');
  setDefaultCACertificates([readFileSync(certificate.certificateFile, 'utf8')]);
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: endpoint.url,
  };
  const connection = measuredIn(configurationFor('https://helpmaster.example', { memorySeconds: 3_600 }));
  const sealed = sealedSlot(BROKER, connection);
  await endpoint.setAnswers(answersFor(sealed));
  const brokerClient = createDynamodbClient(environment);
  const bareClient = new DynamoDBClient({
    region: environment.AWS_REGION,
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    const cases = [
      ...(await memoryCases(connection, sealed, MEMORY_CALLS[size])),
      ...storeCases({ connection, sealed, brokerClient, bareClient, calls: STORE_CALLS[size] }),
      openCase(connection, sealed, OPEN_CALLS[size]),
    ];
    return reportWarm(await runRounds(cases, quick ? ROUNDS.quick : ROUNDS.full));
  } finally {
    brokerClient.destroy();
    bareClient.destroy();
    await endpoint.close();
  }
}

const minter: MintInvoker = {
  invoke: async () => ({ kind: 'refused' }),
  ask: async () => true,
};
const silent: Observability = {
  telemetry: { metrics: () => undefined, warn: () => undefined, info: () => undefined },
  audit: { handOut: () => undefined },
};

function tokenFunction(
  connection: Connection,
  observability: Observability,
  ports: { readonly store: Store; readonly keys: Keys },
  memory = createTokenMemory(),
): ApiHandler {
  return createTokenFunction({
    connections: { [connection.name]: connection },
    ...observability,
    ...ports,
    minter,
    requestMint: createRequestMint({ ...observability, ...ports, minter, clock: systemClock, random: systemRandom }),
    memory,
    clock: systemClock,
    random: systemRandom,
    broker: BROKER,
  });
}

function keysOf({ dataKey }: SealedSlot): Keys {
  const key = new Secret(dataKey);
  return {
    generate: async () => ({ plaintext: key, encrypted: new Uint8Array() }),
    decrypt: async () => key,
  };
}

async function memoryCases(connection: Connection, sealed: SealedSlot, calls: number): Promise<readonly Case[]> {
  const slot = slotOf(connection, SYSTEM);
  const { telemetry } = silent;
  const token = await openToken(
    { keys: keysOf(sealed), telemetry, broker: BROKER },
    slot,
    recordIn({ ...sealed.item }),
  );
  if (token === undefined) throw new Error('The token of the benchmark does not open.');
  const memory = createTokenMemory();
  memory.remember(slot, token, Date.now());
  const context = longContext();
  const quiet = tokenFunction(connection, silent, unreachable(), memory);
  // The type of an event has more than the functions read of it.
  const { body } = await quiet(HAND_OUT_EVENT as never, context);
  const answer: Answer = JSON.parse(body ?? '');
  const speaking = createObservability({ broker: BROKER, service: 'token', output: nowhere() });
  const handlers = [
    [CASES.bare, bareHandler(answer)],
    [CASES.bareTwin, bareHandler(answer)],
    [CASES.middy, bareMiddy(answer)],
    [CASES.memorySilent, quiet],
    [CASES.memory, tokenFunction(connection, speaking, unreachable(), memory)],
    [CASES.usual, usualStack(answer)],
  ] as const;
  return handlers.map(([name, handler]) => ({ name, measure: () => timeHandler(handler, calls, context) }));
}

function storeCases(options: {
  readonly connection: Connection;
  readonly sealed: SealedSlot;
  readonly brokerClient: DynamoDBClient;
  readonly bareClient: DynamoDBClient;
  readonly calls: number;
}): readonly Case[] {
  const { connection, sealed, brokerClient, bareClient, calls } = options;
  const key = keyOf(slotOf(connection, SYSTEM));
  const getItem = () => bareClient.send(new GetItemCommand({ TableName: TABLE, Key: key }));
  const ports = { store: createDynamodbStore({ client: brokerClient, table: TABLE }), keys: keysOf(sealed) };
  const forgetful = { ...connection, memorySeconds: 0 };
  const speaking = createObservability({ broker: BROKER, service: 'token', output: nowhere() });
  const storeHit = tokenFunction(forgetful, speaking, ports);
  const context = longContext();
  return [
    { name: CASES.getItem, measure: () => timeWork(getItem, calls) },
    { name: CASES.getItemTwin, measure: () => timeWork(getItem, calls) },
    { name: CASES.store, measure: () => timeHandler(storeHit, calls, context) },
  ];
}

function openCase(connection: Connection, sealed: SealedSlot, calls: number): Case {
  const slot = slotOf(connection, SYSTEM);
  const record = recordIn({ ...sealed.item });
  const dependencies = { keys: keysOf(sealed), telemetry: silent.telemetry, broker: BROKER };
  return { name: CASES.open, measure: () => timeWork(() => openToken(dependencies, slot, record), calls) };
}
