import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Store } from '../../core/slot/store.ts';
import { type ChangeRequest, requestOf } from './change-request.ts';
import { type Item, keyOf, recordIn, slotLayout } from './item.ts';
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

  async function loadQueries(): Promise<Pick<Store, 'list' | 'due'>> {
    const { createQueries } = await import('./queries.ts');
    return createQueries({ client, table });
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

    // Load the queries only for operators and the schedule: what is handed out or minted is read by its key.
    list: async (page) => (await loadQueries()).list(page),
    due: async (asked) => (await loadQueries()).due(asked),

    // Load the layouts of a connection's items only for a login and for operators.
    async logins(connection) {
      const { loginsIn, loginsKeyOf } = await import('./connection-items.ts');
      const item = await get('logins', loginsKeyOf(connection), true);
      return item && loginsIn(item);
    },

    async writeLogins(connection, change) {
      const { loginsLayout } = await import('./connection-items.ts');
      return writeIf(change.name, requestOf(loginsLayout(connection), change));
    },

    async kept(connection) {
      const { keptIn, keptKeyOf } = await import('./connection-items.ts');
      const item = await get('kept', keptKeyOf(connection), true);
      return item && keptIn(item);
    },

    async writeKept(connection, change) {
      const { keptLayout } = await import('./connection-items.ts');
      return writeIf(change.name, requestOf(keptLayout(connection), change));
    },

    async writePermit(connection, number, change) {
      const { permitLayout } = await import('./connection-items.ts');
      return writeIf(change.name, requestOf(permitLayout(connection, number), change));
    },
  };
}
