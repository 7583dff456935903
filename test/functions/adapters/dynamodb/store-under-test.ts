import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { awsClientConfig } from '../../../../functions/adapters/aws/client.ts';
import { createDynamodbStore } from '../../../../functions/adapters/dynamodb/store.ts';
import { slotTableDefinition } from '../../../../functions/adapters/dynamodb/table.ts';
import type { Claim, EndedAttempt, Publication } from '../../../../functions/core/slot/changes.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import type { SealedToken, SlotRecord } from '../../../../functions/core/slot/record.ts';
import type { Slot } from '../../../../functions/core/slot/slot.ts';
import type { Store } from '../../../../functions/core/slot/store.ts';

/** A DynamoDB to test on. */
export interface DynamodbEngine {
  readonly endpoint: string;
  /** The access key, for an engine that keeps separate tables per key. Default: `local`. */
  readonly accessKeyId?: string;
  close(): Promise<void>;
}

/** A store over a table of its own, and the table itself to look at and to spoil. */
export interface StoreUnderTest {
  readonly store: Store;
  /** The item as DynamoDB has it. */
  item(slot: Slot): Promise<Record<string, AttributeValue> | undefined>;
  loginsItem(connection: string): Promise<Record<string, AttributeValue> | undefined>;
  /** Puts an item past the store. */
  put(item: Record<string, AttributeValue>): Promise<void>;
}

export const NOW = 1_800_000_000_000;
export const TTL_SECONDS = 1_800_086_400;
export const SLOT: Slot = { connection: 'helpdesk', subject: 'system', fingerprint: 'f00d' };

/** A client for `endpoint` that waits long enough for a machine under load not to matter. */
export function testClient(
  endpoint: string,
  {
    accessKeyId = 'local',
    ...settings
  }: { readonly requestTimeoutMs?: number; readonly maxAttempts?: number; readonly accessKeyId?: string } = {},
): DynamoDBClient {
  return new DynamoDBClient(
    awsClientConfig(
      { service: 'DYNAMODB', requestTimeoutMs: 15_000, ...settings },
      {
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: 'local',
      },
    ),
  );
}

/** Creates an empty table and waits until it can be used. */
export async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(new CreateTableCommand(slotTableDefinition(table)));
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the table did not become active');
}

/** Registers an engine for the surrounding suite; the function gives a store over an empty table, a new one each test. */
export function useStore(start: () => Promise<DynamodbEngine>): () => StoreUnderTest {
  let engine: DynamodbEngine | undefined;
  let client: DynamoDBClient | undefined;
  let current: StoreUnderTest | undefined;
  let tables = 0;

  beforeAll(async () => {
    engine = await start();
    const { endpoint, accessKeyId } = engine;
    client = testClient(endpoint, accessKeyId === undefined ? {} : { accessKeyId });
  });
  beforeEach(async () => {
    if (client === undefined) throw new Error('the engine did not start');
    tables += 1;
    const table = `slots-${tables}`;
    await createTable(client, table);
    current = storeUnderTest(client, table);
  });
  afterAll(async () => {
    client?.destroy();
    await engine?.close();
  });
  return () => {
    if (current === undefined) throw new Error('there is no store yet');
    return current;
  };
}

function storeUnderTest(client: DynamoDBClient, table: string): StoreUnderTest {
  async function itemAt(pk: string, sk: string): Promise<Record<string, AttributeValue> | undefined> {
    const Key = { pk: { S: pk }, sk: { S: sk } };
    return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item;
  }
  const store = createDynamodbStore({ client, table });
  return {
    store,
    item: ({ connection, subject, fingerprint }) => itemAt(connection, `${subject}#${fingerprint}`),
    loginsItem: (connection) => itemAt(connection, '!logins'),
    async put(item) {
      await client.send(new PutItemCommand({ TableName: table, Item: item }));
    },
  };
}

/** A claim at `NOW` by `lease-1`. */
export function claimOn(seen: SlotRecord | undefined, overrides: Partial<Claim> = {}): Claim {
  return {
    leaseId: 'lease-1',
    now: NOW,
    leaseUntil: NOW + 17_000,
    notBefore: NOW + 30_000,
    ttlSeconds: TTL_SECONDS,
    seen,
    ...overrides,
  };
}

/** A token of an hour's life, none of its parts the same. */
export function sealedToken(overrides: Partial<SealedToken> = {}): SealedToken {
  return {
    ciphertext: Uint8Array.of(1, 2, 3),
    dataKey: Uint8Array.of(4, 5, 6),
    issuedAt: NOW,
    usableUntil: NOW + 3_595_000,
    refreshAt: NOW + 2_880_000,
    sessionStartedAt: NOW - 1,
    secretVersion: 'version-1',
    hash: 'ab'.repeat(32),
    publicationId: 'publication-1',
    ...overrides,
  };
}

/** The publication of a first token under `lease-1`. */
export function publicationOf(overrides: Partial<Publication> = {}): Publication {
  return {
    leaseId: 'lease-1',
    seenGeneration: 0,
    token: sealedToken(),
    dueAt: NOW + 2_880_000,
    ttlSeconds: TTL_SECONDS + 1,
    keepsRefusal: false,
    ...overrides,
  };
}

/** The failure of an attempt under `lease-1`. */
export function failureOf(overrides: Partial<EndedAttempt> = {}): EndedAttempt {
  return {
    leaseId: 'lease-1',
    code: 'upstream_timeout',
    at: NOW + 6_000,
    notBefore: NOW + 36_000,
    ttlSeconds: TTL_SECONDS + 2,
    ...overrides,
  };
}

/** The record as it is now; fails where there is none. */
export async function recordOf({ store }: StoreUnderTest, slot: Slot = SLOT): Promise<SlotRecord> {
  const record = await store.read(slot, { consistent: true });
  if (record === undefined) throw new Error('there is no record');
  return record;
}

/** Takes the lease of a slot that nothing is known of. */
export async function leased(
  subject: StoreUnderTest,
  { slot = SLOT, ...claim }: Partial<Claim> & { readonly slot?: Slot } = {},
): Promise<SlotRecord> {
  const isTaken = await subject.store.write(slot, changes.acquire(claimOn(undefined, claim)));
  if (!isTaken) throw new Error('the lease was not to be had');
  return recordOf(subject, slot);
}

/** Puts a first token in place. */
export async function published(
  subject: StoreUnderTest,
  { slot = SLOT, ...publication }: Partial<Publication> & { readonly slot?: Slot } = {},
): Promise<WithToken> {
  await leased(subject, { slot });
  const isPublished = await subject.store.write(slot, changes.publish(publicationOf(publication)));
  if (!isPublished) throw new Error('the token was not taken');
  return withToken(await recordOf(subject, slot));
}

/** The record, if it has a token; fails where it has none. */
export function withToken(record: SlotRecord): WithToken {
  const { token } = record;
  if (token === undefined) throw new Error('there is no token');
  return { ...record, token };
}

type WithToken = SlotRecord & { readonly token: SealedToken };
