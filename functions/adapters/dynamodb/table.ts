import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** The attributes that the table's key, its index and its expiry are made of. */
export const TABLE_KEYS = { partition: 'pk', sort: 'sk', ttl: 'ttl' } as const;

/** The sparse index of slots that the schedule is to look at: by shard, the longest overdue first; keys only. */
export const DUE_INDEX = { name: 'due', partition: 'shard', sort: 'dueAt' } as const;

/** Number of partitions of the index `due`. The schedule queries each. */
export const DUE_SHARDS = 4;

/** Sort key of a connection's logins. */
export const LOGINS_SORT_KEY = '!logins';

/** Sort key of a connection's kept values. */
export const KEPT_SORT_KEY = '!kept';

/** Beginning of the sort keys of a connection's permits; the number follows. */
export const PERMIT_SORT_KEY = '!permit-';

/** Sort key after all of these and before every slot, since no subject begins with `!`. */
export const BEFORE_SLOTS = '!~';

/** Beginning of the partition key of a JWT that was exchanged. No connection begins with `!`. */
export const USED_JWT_PARTITION = '!jwt#';

/** The table as `CreateTable` takes it, for local engines. Expiry is set apart, by `UpdateTimeToLive`. */
export function slotTableDefinition(tableName: string): CreateTableCommandInput {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: TABLE_KEYS.partition, AttributeType: 'S' },
      { AttributeName: TABLE_KEYS.sort, AttributeType: 'S' },
      { AttributeName: DUE_INDEX.partition, AttributeType: 'N' },
      { AttributeName: DUE_INDEX.sort, AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: TABLE_KEYS.partition, KeyType: 'HASH' },
      { AttributeName: TABLE_KEYS.sort, KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: DUE_INDEX.name,
        KeySchema: [
          { AttributeName: DUE_INDEX.partition, KeyType: 'HASH' },
          { AttributeName: DUE_INDEX.sort, KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  };
}
