import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Change, Condition, Field, Values } from '../../core/slot/changes.ts';
import type { Lease, SealedToken } from '../../core/slot/record.ts';
import type { Slot } from '../../core/slot/slot.ts';
import { dueAttributes, keyOf, LEASE_ATTRIBUTES, number, TOKEN_ATTRIBUTES, text, tokenAttributes } from './item.ts';
import type { Update } from './update.ts';

/** The attributes in which the item holds each field. The first of a group says whether the whole is there. */
const attributesOf = {
  generation: ['gen'],
  token: ['tokenHash', ...TOKEN_ATTRIBUTES.filter((name) => name !== 'tokenHash')],
  lease: LEASE_ATTRIBUTES,
  fence: ['fence'],
  notBefore: ['notBefore'],
  tries: ['tries'],
  failure: ['failCode', 'failedAt'],
  refusedVersion: ['badSv'],
  rejectedGeneration: ['rejectedGen'],
  renewalBarredUntil: ['renewalBarredUntil'],
  lastHandedOutAt: ['lastHandedOutAt'],
  refreshAskedAt: ['refreshAskedAt'],
  dueAt: ['dueAt', 'shard'],
  ttlSeconds: ['ttl'],
  'lease.id': ['leaseId'],
  'lease.until': ['leaseUntil'],
  'lease.begunBy': ['begunBy'],
  'token.hash': ['tokenHash'],
} as const satisfies Record<Field | 'lease.id' | 'lease.until' | 'lease.begunBy' | 'token.hash', readonly string[]>;

/** A change as one conditional write of DynamoDB. */
export function updateOf(slot: Slot, { onlyIf, set = {}, setIfAbsent = {}, add = {}, clear = [] }: Change): Update {
  const setting = attributesIn(slot, set);
  const where = onlyIf.map((condition, index) => expressionOf(condition, `:c${index}`));
  const sums = Object.entries(add).map(([field, by]) => [attributesOf[field as 'tries'][0], by ?? 0] as const);
  const absent = attributesIn(slot, setIfAbsent);
  const removed = clear.flatMap((field) => attributesOf[field] as readonly string[]);
  // A lease that is taken has not been begun by anybody.
  const unbegun = set.lease === undefined ? [] : ['begunBy'];
  return {
    key: keyOf(slot),
    set: setting,
    assign: [
      ...sums.map(([name]) => `#${name} = if_not_exists(#${name}, :zero) + :add_${name}`),
      ...Object.keys(absent).map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
    ],
    remove: [...removed, ...unbegun].filter((name) => !(name in setting)),
    conditions: where.map(({ expression }) => expression),
    values: {
      ...absent,
      ...(sums.length > 0 && { zero: number(0) }),
      ...Object.fromEntries(sums.map(([name, by]) => [`add_${name}`, number(by)])),
      ...Object.fromEntries(where.flatMap(({ value }, index) => (value === undefined ? [] : [[`c${index}`, value]]))),
    },
  };
}

interface Where {
  readonly expression: string;
  readonly value?: AttributeValue;
}

function expressionOf(condition: Condition, name: string): Where {
  if ('item' in condition) {
    return { expression: condition.item === 'present' ? 'attribute_exists(#pk)' : 'attribute_not_exists(#pk)' };
  }
  const attribute = `#${attributesOf[condition.field][0]}`;
  const isAbsent = `attribute_not_exists(${attribute})`;
  if ('present' in condition) return { expression: `attribute_exists(${attribute})` };
  if ('below' in condition)
    return { expression: `(${isAbsent} OR ${attribute} < ${name})`, value: number(condition.below) };
  if ('atMost' in condition)
    return { expression: `(${isAbsent} OR ${attribute} <= ${name})`, value: number(condition.atMost) };
  if (condition.is === undefined) return { expression: isAbsent };
  if (typeof condition.is === 'string') return { expression: `${attribute} = ${name}`, value: text(condition.is) };
  const isEqual = `${attribute} = ${name}`;
  // An absent number reads as 0, so 0 also matches absence.
  return { expression: condition.is === 0 ? `(${isAbsent} OR ${isEqual})` : isEqual, value: number(condition.is) };
}

function attributesIn(slot: Slot, values: Values): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([field, value]) =>
      value === undefined ? [] : attributesFor(slot, field as Field, value),
    ),
  );
}

function attributesFor(slot: Slot, field: Field, value: unknown): [string, AttributeValue][] {
  switch (field) {
    case 'token':
      return Object.entries(tokenAttributes(value as SealedToken));
    case 'lease': {
      const { id, until } = value as Lease;
      return [
        ['leaseId', text(id)],
        ['leaseUntil', number(until)],
      ];
    }
    case 'failure': {
      const { code, at } = value as { code: string; at: number };
      return [
        ['failCode', text(code)],
        ['failedAt', number(at)],
      ];
    }
    case 'dueAt':
      return Object.entries(dueAttributes(slot, value as number));
    default:
      return [[attributesOf[field][0], typeof value === 'number' ? number(value) : text(String(value))]];
  }
}
