import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';

/**
 * One conditional write to one item. In expressions `#name` stands for the attribute `name`, and `:name` for the value
 * of that name in `set`, `add` or `values`; so no attribute can collide with a reserved word.
 */
export interface Update {
  readonly key: Item;
  /** Attributes that get a value as it is. */
  readonly set?: Readonly<Record<string, AttributeValue>>;
  /** Assignments that are worked out from what the item holds. */
  readonly assign?: readonly string[];
  /** Members that sets get. */
  readonly add?: Readonly<Record<string, AttributeValue>>;
  readonly remove?: readonly string[];
  /** All must hold. */
  readonly conditions: readonly string[];
  /** Values that only `assign` and `conditions` refer to. */
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

/** The part of an `UpdateItem` request that an update determines. */
export type UpdateRequest = Pick<
  UpdateItemCommandInput,
  'Key' | 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** Writes an update as DynamoDB's expressions. */
export function requestOf({
  key,
  set = {},
  assign = [],
  add = {},
  remove = [],
  conditions,
  values = {},
}: Update): UpdateRequest {
  const update = [
    clause('SET', [...Object.keys(set).map((name) => `#${name} = :${name}`), ...assign]),
    clause(
      'ADD',
      Object.keys(add).map((name) => `#${name} :${name}`),
    ),
    clause(
      'REMOVE',
      remove.map((name) => `#${name}`),
    ),
  ]
    .filter((part) => part !== '')
    .join(' ');
  const condition = conditions.join(' AND ');
  const allValues = Object.entries({ ...set, ...add, ...values }).map(([name, value]) => [`:${name}`, value] as const);
  return {
    Key: key,
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeNames: namesIn(`${update} ${condition}`),
    // DynamoDB refuses an empty map.
    ...(allValues.length > 0 && { ExpressionAttributeValues: Object.fromEntries(allValues) }),
  };
}

/** The names that expressions refer to as `#name`, as DynamoDB takes them. */
export function namesIn(expression: string): Record<string, string> {
  return Object.fromEntries([...expression.matchAll(/#(\w+)/g)].map(([reference]) => [reference, reference.slice(1)]));
}

function clause(keyword: string, parts: readonly string[]): string {
  return parts.length === 0 ? '' : `${keyword} ${parts.join(', ')}`;
}
