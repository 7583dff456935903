import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { requestOf } from '../../functions/adapters/dynamodb/change-request.ts';
import { slotLayout } from '../../functions/adapters/dynamodb/item.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';

/**
 * Creates a function that makes a slot due for refresh at once, as if its `refreshAt` had come, and runs the schedule.
 * The broker then slides, logs in, or finds that it may not yet. False if the slot holds no token.
 */
export function createRefreshPoint(parts: {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly runSchedule: () => Promise<void>;
}): (connection: Connection, subject: string) => Promise<boolean> {
  return async (connection, subject) => {
    const slot = slotOf(connection, subject);
    const now = Date.now();
    const update = requestOf(slotLayout(slot), {
      name: 'refresh',
      onlyIf: [{ field: 'token', present: true }],
      set: { dueAt: now, 'token.refreshAt': now, lastHandedOutAt: now },
    });
    try {
      await parts.client.send(new UpdateItemCommand({ TableName: parts.table, ...update }));
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
    await parts.runSchedule();
    return true;
  };
}
