import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import { awsClientConfig, type Environment } from '../functions/adapters/aws/client.ts';
import { slotTableDefinition } from '../functions/adapters/dynamodb/table.ts';
import { KEPT_SECRETS_TABLE } from './aws/kept-secret-store.ts';
import { AUDIT_TABLE, TABLE } from './functions.ts';
import { StartError } from './start-error.ts';

const ACTIVE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** Creates the missing tables, and waits until they can be used. */
export async function makeTables(environment: Environment): Promise<void> {
  const client = new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, environment));
  try {
    await makeTable(client, slotTableDefinition(TABLE));
    for (const table of [AUDIT_TABLE, KEPT_SECRETS_TABLE]) {
      await makeTable(client, {
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      });
    }
  } finally {
    client.destroy();
  }
}

async function makeTable(client: DynamoDBClient, definition: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  const until = performance.now() + ACTIVE_WITHIN_MS;
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: definition.TableName }));
    if (Table?.TableStatus === 'ACTIVE') return;
    if (performance.now() > until) {
      throw new StartError(
        `The table ${definition.TableName} does not become active. If --data names an old folder, remove it.`,
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
}
