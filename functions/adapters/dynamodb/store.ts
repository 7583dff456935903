import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Store } from '../../core/slot/store.ts';
import { type ChangeRequest, requestOf } from './change-request.ts';
import {
  keptIn,
  keptKeyOf,
  keptLayout,
  loginsIn,
  loginsKeyOf,
  loginsLayout,
  permitLayout,
} from './connection-items.ts';
import { type Item, keyOf, recordIn, slotLayout } from './item.ts';
import { createQueries } from './queries.ts';
import { createUnavailableError } from './unavailable.ts';

/**
 * Creates the store over one DynamoDB table of the shape of `slotTableDefinition`.
 *
 * Every method throws `store_unavailable`, with the operation's name and nothing of the table, when DynamoDB cannot be
 * reached, throttles or refuses.
 */
export function createDynamodbStore({
  client,
  table,
}: {
  readonly client: DynamoDBClient;
  readonly table: string;
}): Store {
  /** Sends a write; what `returnValues` asks of the item, or undefined where the conditions did not hold. */
  async function send(
    operation: string,
    request: ChangeRequest,
    returnValues: 'NONE' | 'ALL_NEW',
  ): Promise<Item | undefined> {
    const command = new UpdateItemCommand({ TableName: table, ...request, ReturnValues: returnValues });
    try {
      const { Attributes } = await client.send(command);
      return Attributes ?? {};
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw createUnavailableError(operation);
    }
  }

  async function writeIf(operation: string, request: ChangeRequest): Promise<boolean> {
    return (await send(operation, request, 'NONE')) !== undefined;
  }

  async function get(operation: string, key: Item, consistent: boolean): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: table, Key: key, ConsistentRead: consistent });
    const { Item } = await client.send(command).catch(() => {
      throw createUnavailableError(operation);
    });
    return Item;
  }

  return {
    async read(slot, { consistent }) {
      const item = await get('read', keyOf(slot), consistent);
      return item && recordIn(item);
    },

    write: (slot, change) => writeIf(change.name, requestOf(slotLayout(slot), change)),

    async writeAndRead(slot, change) {
      const item = await send(change.name, requestOf(slotLayout(slot), change), 'ALL_NEW');
      return item && recordIn(item);
    },

    ...createQueries({ client, table }),

    async logins(connection) {
      const item = await get('logins', loginsKeyOf(connection), true);
      return item && loginsIn(item);
    },

    writeLogins: (connection, change) => writeIf(change.name, requestOf(loginsLayout(connection), change)),

    async kept(connection) {
      const item = await get('kept', keptKeyOf(connection), true);
      return item && keptIn(item);
    },

    writeKept: (connection, change) => writeIf(change.name, requestOf(keptLayout(connection), change)),

    writePermit: (connection, number, change) =>
      writeIf(change.name, requestOf(permitLayout(connection, number), change)),
  };
}
