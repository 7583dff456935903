import { BrokerError } from '../../functions/core/errors.ts';
import type { Claim, DueSlot, FailedAttempt, Publication, Refusals, Store } from '../../functions/core/ports.ts';
import type { ProxyStore } from '../../functions/core/proxy-ports.ts';
import { type Slot, slotId } from '../../functions/core/slot.ts';
import { EMPTY_RECORD, liveLease, type SlotRecord } from '../../functions/core/slot-record.ts';

/** What a method of the store is given. */
export type Argument<Method extends keyof (Store & ProxyStore)> = Parameters<(Store & ProxyStore)[Method]>[0];

/** A write that took effect. */
export interface TableWrite {
  readonly operation: keyof Store | keyof ProxyStore | 'ttl' | 'spoil';
  readonly slot: Slot;
  readonly before: SlotRecord | undefined;
  readonly after: SlotRecord | undefined;
}

/** What is counted of a connection's refusals after a change. */
export interface RefusalsChange {
  readonly connection: string;
  readonly after: Refusals | undefined;
}

interface CountedRefusals {
  readonly secretVersion: string;
  readonly slots: ReadonlySet<string>;
  readonly ttlSeconds: number;
}

interface Version {
  readonly at: number;
  readonly record: SlotRecord | undefined;
}

const VERSIONS_KEPT = 6;
const PAGE_PATTERN = /^[^#]+#[^#]+$/;

/** The items of the broker's table, with the conditions of its writes; every method takes effect at once. */
export type MemoryTable = ReturnType<typeof createMemoryTable>;

/** Creates an empty table; `onWrite` and `onRefusals` hear of every change that took effect. */
export function createMemoryTable({
  now,
  onWrite = () => {},
  onRefusals = () => {},
}: {
  readonly now: () => number;
  readonly onWrite?: (write: TableWrite) => void;
  readonly onRefusals?: (change: RefusalsChange) => void;
}) {
  const items = new Map<string, { readonly slot: Slot; readonly record: SlotRecord }>();
  const versions = new Map<string, Version[]>();
  const counted = new Map<string, CountedRefusals>();

  function get(slot: Slot): SlotRecord | undefined {
    return items.get(slotId(slot))?.record;
  }

  function set(operation: TableWrite['operation'], slot: Slot, after: SlotRecord | undefined): true {
    const id = slotId(slot);
    const before = items.get(id)?.record;
    if (after === undefined) items.delete(id);
    else items.set(id, { slot, record: after });
    const kept = versions.get(id) ?? [{ at: 0, record: undefined }];
    kept.push({ at: now(), record: after });
    versions.set(id, kept.slice(-VERSIONS_KEPT));
    onWrite({ operation, slot, before, after });
    return true;
  }

  /** The record of a lease's holder, or undefined where the lease is not held. */
  function heldBy(slot: Slot, leaseId: string): SlotRecord | undefined {
    const record = get(slot);
    return record?.lease?.id === leaseId ? record : undefined;
  }

  return {
    get,
    set,
    all: () => [...items.values()],

    /** What an eventually consistent read may find that is at most `staleMs` behind; `pick` chooses. */
    getStale(slot: Slot, staleMs: number, pick: (count: number) => number): SlotRecord | undefined {
      const kept = versions.get(slotId(slot)) ?? [];
      const since = now() - staleMs;
      // A version may be read for as long as its successor is younger than the lag.
      const possible = kept.filter((_, index) => index === kept.length - 1 || (kept[index + 1]?.at ?? 0) >= since);
      return possible[pick(possible.length)]?.record;
    },

    acquire({ slot, leaseId, now: at, leaseUntil, notBefore, ttlSeconds, seen }: Claim): boolean {
      const record = get(slot);
      if (seen === undefined) {
        if (record !== undefined) return false;
      } else {
        if (liveLease(seen, at) !== undefined) return false;
        const { generation, lease, token, fence, rejectedGeneration, notBefore: backOffUntil } = record ?? EMPTY_RECORD;
        const isAsSeen =
          generation === seen.generation &&
          token?.hash === seen.token?.hash &&
          fence === seen.fence &&
          rejectedGeneration === seen.rejectedGeneration &&
          lease?.id === seen.lease?.id;
        if (!isAsSeen || backOffUntil > at) return false;
      }
      const { lease: _, ...rest } = record ?? EMPTY_RECORD;
      const counts = { tries: rest.tries + 1, fence: rest.fence + 1 };
      return set('acquire', slot, {
        ...rest,
        ...counts,
        lease: { id: leaseId, until: leaseUntil },
        notBefore,
        ttlSeconds,
      });
    },

    begin({ slot, leaseId, begunBy }: Argument<'begin'>): SlotRecord | undefined {
      const record = heldBy(slot, leaseId);
      if (record?.lease === undefined || record.lease.begunBy !== undefined) return undefined;
      set('begin', slot, { ...record, lease: { ...record.lease, begunBy } });
      return get(slot);
    },

    publish(publication: Publication): boolean {
      const { slot, leaseId, seenGeneration, token, dueAt, ttlSeconds, lastHandedOutAt, refusedVersion } = publication;
      const record = heldBy(slot, leaseId);
      if (record === undefined || record.generation !== seenGeneration) return false;
      const { fence, refreshAskedAt, renewalBarredUntil } = record;
      return set('publish', slot, {
        ...EMPTY_RECORD,
        generation: seenGeneration + 1,
        token,
        fence,
        refreshAskedAt,
        lastHandedOutAt: lastHandedOutAt ?? record.lastHandedOutAt,
        dueAt,
        ttlSeconds,
        ...(refusedVersion === undefined ? {} : { refusedVersion }),
        ...(renewalBarredUntil === undefined ? {} : { renewalBarredUntil }),
      });
    },

    fail({ slot, leaseId, code, at, notBefore, dueAt, refusedVersion, tries, ttlSeconds }: FailedAttempt): boolean {
      const record = heldBy(slot, leaseId);
      if (record === undefined) return false;
      const { lease: _lease, dueAt: _dueAt, ...rest } = record;
      return set('fail', slot, {
        ...rest,
        notBefore,
        failure: { code, at },
        ttlSeconds,
        ...(refusedVersion === undefined ? {} : { refusedVersion }),
        ...(tries === undefined ? {} : { tries }),
        ...(dueAt === undefined ? {} : { dueAt }),
      });
    },

    release({ slot, leaseId }: Argument<'release'>): boolean {
      const record = heldBy(slot, leaseId);
      if (record === undefined) return false;
      const { lease: _, ...rest } = record;
      return set('release', slot, rest);
    },

    askRefresh({ slot, generation, now: at, notSince }: Argument<'askRefresh'>): boolean {
      const record = get(slot);
      if (record?.generation !== generation || record.refreshAskedAt >= notSince) return false;
      return set('askRefresh', slot, { ...record, refreshAskedAt: at });
    },

    recordUse({ slot, now: at, notSince, dueAt }: Argument<'recordUse'>): boolean {
      const record = get(slot);
      if (record === undefined || (record.lastHandedOutAt !== 0 && record.lastHandedOutAt >= notSince)) return false;
      const isDueAnew = record.dueAt === undefined && dueAt !== undefined;
      return set('recordUse', slot, { ...record, lastHandedOutAt: at, ...(isDueAnew ? { dueAt } : {}) });
    },

    markRejected({ slot, generation, hash }: Argument<'markRejected'>): boolean {
      const record = get(slot);
      if (record?.token?.hash !== hash || record.generation !== generation) return false;
      return set('markRejected', slot, { ...record, rejectedGeneration: generation });
    },

    reschedule({ slot, generation, lastHandedOutAt, dueAt }: Argument<'reschedule'>): boolean {
      const record = get(slot);
      if (record?.generation !== generation || record.lastHandedOutAt !== lastHandedOutAt) return false;
      const { dueAt: _, ...rest } = record;
      return set('reschedule', slot, dueAt === undefined ? rest : { ...rest, dueAt });
    },

    purge({ slot, ttlSeconds }: Argument<'purge'>): boolean {
      const record = get(slot);
      if (record === undefined) return false;
      const { generation, fence, lease, lastHandedOutAt, refreshAskedAt } = record;
      const kept = { fence, lastHandedOutAt, refreshAskedAt, ...(lease === undefined ? {} : { lease }) };
      return set('purge', slot, { ...EMPTY_RECORD, ...kept, generation: generation + 1, ttlSeconds });
    },

    endBackOff({ slot, dueAt }: Argument<'endBackOff'>): boolean {
      const record = get(slot);
      if (record === undefined) return false;
      return set('endBackOff', slot, { ...record, notBefore: 0, ...(dueAt === undefined ? {} : { dueAt }) });
    },

    adopt({ slot, seenGeneration, usedHash, token, dueAt, ttlSeconds, now: at }: Argument<'adopt'>): boolean {
      const record = get(slot);
      if (record?.token?.hash !== usedHash || record.generation !== seenGeneration) return false;
      if (liveLease(record, at) !== undefined) return false;
      const { failure: _, ...rest } = record;
      const cleared = { notBefore: 0, tries: 0, rejectedGeneration: 0 };
      return set('adopt', slot, { ...rest, ...cleared, generation: seenGeneration + 1, token, dueAt, ttlSeconds });
    },

    barRenewal({ slot, generation, until }: Argument<'barRenewal'>): boolean {
      const record = get(slot);
      if (record?.token === undefined || record.generation !== generation) return false;
      return set('barRenewal', slot, { ...record, renewalBarredUntil: until });
    },

    beginCall({ slot, leaseId, now: at, leaseUntil, ttlSeconds, seen }: Argument<'beginCall'>): boolean {
      const record = get(slot);
      if (liveLease(seen, at) !== undefined || record?.token === undefined) return false;
      if (record.token.hash !== seen.token?.hash) return false;
      if (record.generation !== seen.generation || record.lease?.id !== seen.lease?.id) return false;
      const lease = { id: leaseId, until: leaseUntil };
      return set('beginCall', slot, { ...record, fence: record.fence + 1, lease, ttlSeconds });
    },

    list({ connection, limit, after }: Argument<'list'>): Awaited<ReturnType<Store['list']>> {
      const from = after === undefined ? '' : sortKeyIn(after);
      const slots = [...items.values()]
        .filter(({ slot }) => slot.connection === connection && sortKeyOf(slot) > from)
        .sort((one, other) => (sortKeyOf(one.slot) < sortKeyOf(other.slot) ? -1 : 1));
      const last = slots[limit - 1];
      const page = slots.slice(0, limit);
      return slots.length > limit && last !== undefined ? { slots: page, next: pageAfter(last.slot) } : { slots: page };
    },

    due({ now: at, limit }: Argument<'due'>): readonly DueSlot[] {
      return [...items.values()]
        .flatMap(({ slot, record }) => (record.dueAt === undefined ? [] : [{ slot, dueAt: record.dueAt }]))
        .filter(({ dueAt }) => dueAt <= at)
        .sort((one, other) => one.dueAt - other.dueAt)
        .slice(0, limit);
    },

    refusals(connection: string): Refusals | undefined {
      const found = counted.get(connection);
      return found && { secretVersion: found.secretVersion, slots: found.slots.size };
    },

    recordRefusal({ slot, secretVersion, ttlSeconds }: Argument<'recordRefusal'>): void {
      const found = counted.get(slot.connection);
      const others = found?.secretVersion === secretVersion ? found.slots : [];
      const slots = new Set([...others, sortKeyOf(slot)]);
      counted.set(slot.connection, { secretVersion, slots, ttlSeconds });
      onRefusals({ connection: slot.connection, after: { secretVersion, slots: slots.size } });
    },

    clearRefusals(connection: string): void {
      counted.delete(connection);
      onRefusals({ connection, after: undefined });
    },

    /** The whole of what is counted of a connection. */
    countedRefusals: (connection: string): CountedRefusals | undefined => counted.get(connection),

    /** Deletes an item whose time is over, as the store may at any moment from then on. */
    expire(slot: Slot): boolean {
      const record = get(slot);
      if (record === undefined || record.ttlSeconds * 1000 > now()) return false;
      return set('ttl', slot, undefined);
    },
  };
}

function sortKeyOf(slot: Slot): string {
  return `${slot.subject}#${slot.fingerprint}`;
}

function pageAfter(slot: Slot): string {
  return Buffer.from(sortKeyOf(slot)).toString('base64url');
}

function sortKeyIn(page: string): string {
  const sortKey = Buffer.from(page, 'base64url').toString('utf8');
  if (Buffer.from(sortKey).toString('base64url') !== page || !PAGE_PATTERN.test(sortKey)) {
    throw new BrokerError('invalid_request', 'There is no such page of this listing.');
  }
  return sortKey;
}
