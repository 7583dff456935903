import type { Store } from '../../core/slot/store.ts';
import { number, refusalsKeyOf, sortKeyOf, text } from './item.ts';
import type { Update } from './update.ts';

type Refusal = Parameters<Store['recordRefusal']>[0];

const isOfVersion = '#sv = :version';
const isOfNoOrAnotherVersion = '(attribute_not_exists(#sv) OR #sv <> :version)';

/** Adds a slot to those refused, if what is counted is the same secret version. */
export function countRefusalUpdate({ slot, secretVersion, ttlSeconds }: Refusal): Update {
  return {
    key: refusalsKeyOf(slot.connection),
    set: { ttl: number(ttlSeconds) },
    add: { slots: { SS: [sortKeyOf(slot)] } },
    conditions: [isOfVersion],
    values: { version: text(secretVersion) },
  };
}

/** Begins the count for a secret version, if what is counted is another one or nothing. */
export function beginRefusalsUpdate({ slot, secretVersion, ttlSeconds }: Refusal): Update {
  return {
    key: refusalsKeyOf(slot.connection),
    set: { sv: text(secretVersion), slots: { SS: [sortKeyOf(slot)] }, ttl: number(ttlSeconds) },
    conditions: [isOfNoOrAnotherVersion],
    values: { version: text(secretVersion) },
  };
}
