import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { SlotRecord } from '../../core/slot/record.ts';
import { type Slot, slotName } from '../../core/slot/slot.ts';
import type { DueSlot, Store } from '../../core/slot/store.ts';
import { BrokerError } from '../../core/words/errors.ts';
import { namesIn } from './change-request.ts';
import { type Item, isSlotSortKey, number, recordIn, slotIn, text } from './item.ts';
import { BEFORE_SLOTS, DUE_INDEX, DUE_SHARDS } from './table.ts';
import { createUnavailableError } from './unavailable.ts';

/** Creates the methods of the store that find slots. Both throw as those of `createDynamodbStore`. */
export function createQueries({
  client,
  table,
}: {
  readonly client: DynamoDBClient;
  readonly table: string;
}): Pick<Store, 'list' | 'due'> {
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
        throw createUnavailableError(operation);
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
    async list({ connection, limit, after }) {
      const query = {
        KeyConditionExpression: '#pk = :pk AND #sk > :after',
        ExpressionAttributeValues: {
          ':pk': text(connection),
          ':after': text(after === undefined ? BEFORE_SLOTS : sortKeyIn(after)),
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
  };
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
