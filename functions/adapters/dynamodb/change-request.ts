import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { Change, Condition } from '../../core/slot/change.ts';
import { attributesIn, encode, type Item, type Layout, namesUnder } from './item.ts';

/** The part of an `UpdateItem` request that a change determines. */
export type ChangeRequest = Pick<
  UpdateItemCommandInput,
  'Key' | 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/**
 * Writes a change as DynamoDB's expressions. In them `#name` stands for the attribute `name`, so that none can collide
 * with a reserved word.
 */
export function requestOf<R>(layout: Layout<R>, change: Change<R>): ChangeRequest {
  const { onlyIf, set = {}, setIfAbsent = {}, add = {}, clear = [] } = change;
  const values: Item = {};
  const valued = (value: AttributeValue): string => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = value;
    return name;
  };
  const setting = attributesIn(layout, set);
  // A value of several attributes takes the place of all of them: a lease that is taken has not been begun by anybody.
  const replaced = Object.entries(set).flatMap(([path, value]) => (value === undefined ? [] : [path]));
  const removed = [...clear, ...replaced].flatMap((path) => namesUnder(layout, path));
  const clauses = {
    SET: [
      ...Object.entries(setting).map(([name, value]) => `#${name} = ${valued(value)}`),
      ...Object.entries(attributesIn(layout, setIfAbsent)).map(
        ([name, value]) => `#${name} = if_not_exists(#${name}, ${valued(value)})`,
      ),
    ],
    ADD: Object.entries(add).map(([field, more]) => `${nameOf(layout, field)} ${valued(encode(added(more)))}`),
    REMOVE: removed.filter((name) => !(name in setting)).map((name) => `#${name}`),
  };
  const update = Object.entries(clauses)
    .filter(([, parts]) => parts.length > 0)
    .map(([keyword, parts]) => `${keyword} ${parts.join(', ')}`)
    .join(' ');
  const condition = onlyIf.map((each) => conditionOf(layout, each, valued)).join(' AND ');
  return {
    Key: layout.key,
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeNames: namesIn(`${update} ${condition}`),
    // DynamoDB refuses an empty map.
    ExpressionAttributeValues: Object.keys(values).length > 0 ? values : undefined,
  };
}

/** The attributes that a change names, in its conditions too: IAM cannot tell those from what is written. */
export function attributesNamed<R>(layout: Layout<R>, change: Change<R>): readonly string[] {
  const { Key, ExpressionAttributeNames } = requestOf(layout, change);
  return [...new Set([...Object.keys(Key ?? {}), ...Object.values(ExpressionAttributeNames ?? {})])];
}

/** The names that expressions refer to as `#name`, as DynamoDB takes them. */
export function namesIn(expression: string): Record<string, string> {
  return Object.fromEntries([...expression.matchAll(/#(\w+)/g)].map(([reference]) => [reference, reference.slice(1)]));
}

function conditionOf<R>(layout: Layout<R>, condition: Condition<R>, valued: (value: AttributeValue) => string): string {
  if ('item' in condition) return condition.item === 'present' ? 'attribute_exists(#pk)' : 'attribute_not_exists(#pk)';
  const attribute = nameOf(layout, condition.field);
  const isAbsent = `attribute_not_exists(${attribute})`;
  if ('present' in condition) return `attribute_exists(${attribute})`;
  if ('below' in condition) return `(${isAbsent} OR ${attribute} < ${valued(encode(condition.below))})`;
  if ('atMost' in condition) return `(${isAbsent} OR ${attribute} <= ${valued(encode(condition.atMost))})`;
  if (condition.is === undefined) return isAbsent;
  const isEqual = `${attribute} = ${valued(encode(condition.is))}`;
  // An absent number reads as 0, so 0 also matches absence.
  return condition.is === 0 ? `(${isAbsent} OR ${isEqual})` : isEqual;
}

function nameOf<R>(layout: Layout<R>, path: string): string {
  return `#${namesUnder(layout, path)[0]}`;
}

function added(more: unknown): number | ReadonlySet<string> {
  return typeof more === 'number' ? more : new Set([String(more)]);
}
