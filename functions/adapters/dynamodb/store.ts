import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { SlotRecord } from '../../core/slot/record.ts';
import { type Slot, slotName } from '../../core/slot/slot.ts';
import type { DueSlot, Store } from '../../core/slot/store.ts';
import { BrokerError } from '../../core/words/errors.ts';
import { type ChangeRequest, namesIn, requestOf } from './change-request.ts';
import {
  type Item,
  isSlotSortKey,
  keptIn,
  keptKeyOf,
  keptLayout,
  keyOf,
  loginsIn,
  loginsKeyOf,
  loginsLayout,
  number,
  recordIn,
  slotIn,
  slotLayout,
  text,
} from './item.ts';
import { DUE_INDEX, DUE_SHARDS, LOGINS_SORT_KEY } from './table.ts';

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
      throw unavailable(operation);
    }
  }

  async function writeIf(operation: string, request: ChangeRequest): Promise<boolean> {
    return (await send(operation, request, 'NONE')) !== undefined;
  }

  async function get(operation: string, key: Item, consistent: boolean): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: table, Key: key, ConsistentRead: consistent });
    const { Item } = await client.send(command).catch(() => {
      throw unavailable(operation);
    });
    return Item;
  }

  /** The items of a query one by one, page after page for as long as they are asked for. */
  async function* itemsOf(operation: string, query: Omit<QueryCommandInput, 'TableName'>): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: table,
        ...query,
        ExpressionAttributeNames: namesIn(query.KeyConditionExpression ?? ''),
        ExclusiveStartKey: start,
      });
      const page = await client.send(command).catch(() => {
        throw unavailable(operation);
      });
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  async function dueInShard(shard: number, now: number, limit: number): Promise<readonly DueSlot[]> {
    const due: DueSlot[] = [];
    if (limit <= 0) return due;
    const query = {
      IndexName: DUE_INDEX.name,
      KeyConditionExpression: '#shard = :shard AND #dueAt <= :now',
      ExpressionAttributeValues: { ':shard': number(shard), ':now': number(now) },
      Limit: limit,
    };
    for await (const item of itemsOf('due', query)) {
      const slot = slotIn(item);
      const { dueAt } = recordIn(item);
      if (slot === undefined || dueAt === undefined) continue;
      due.push({ slot, dueAt });
      if (due.length >= limit) break;
    }
    return due;
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

    async list({ connection, limit, after }) {
      const query = {
        KeyConditionExpression: '#pk = :pk AND #sk > :after',
        ExpressionAttributeValues: {
          ':pk': text(connection),
          ':after': text(after === undefined ? LOGINS_SORT_KEY : sortKeyIn(after)),
        },
        // Query one item more, to know whether there are more.
        Limit: limit + 1,
        // An operator who has just deleted a token, or rotated a secret, must see the current state.
        ConsistentRead: true,
      };
      const slots: { slot: Slot; record: SlotRecord }[] = [];
      for await (const item of itemsOf('list', query)) {
        const slot = slotIn(item);
        if (slot === undefined) continue;
        const last = slots.at(-1);
        if (slots.length >= limit && last !== undefined) return { slots, next: pageAfter(slotName(last.slot)) };
        slots.push({ slot, record: recordIn(item) });
      }
      return { slots };
    },

    async due({ now, limit }) {
      const shards = Array.from({ length: DUE_SHARDS }, (_, shard) => dueInShard(shard, now, limit));
      const found = (await Promise.all(shards)).flat();
      return found.sort((a, b) => a.dueAt - b.dueAt).slice(0, limit);
    },

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
  };
}

// The SDK's error may hold the request, hence no cause.
function unavailable(operation: string): BrokerError {
  return new BrokerError(
    'store_unavailable',
    `The token store did not do what it was asked (${operation}); try again.`,
  );
}

function pageAfter(sortKey: string): string {
  return Buffer.from(sortKey, 'utf8').toString('base64url');
}

function sortKeyIn(next: string): string {
  const sortKey = Buffer.from(next, 'base64url').toString('utf8');
  // Decoding passes over what it does not know; only what encodes to the same again was ever given out.
  if (pageAfter(sortKey) !== next || !isSlotSortKey(sortKey)) {
    throw new BrokerError(
      'invalid_request',
      'The `next` of this listing is not one that a listing gave out; begin again.',
    );
  }
  return sortKey;
}
