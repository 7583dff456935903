import { describe, expect, it } from 'vitest';
import type { SlotChange } from '../../../../functions/core/slot/changes.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import {
  claimOn,
  failureOf,
  leased,
  NOW,
  publicationOf,
  published,
  recordOf,
  SLOT,
  type StoreUnderTest,
  sealedToken,
  TTL_SECONDS,
} from './store-under-test.ts';

/** Tests a slot's notes beside its lease: asks, use, rejections, the schedule, and the changes of operators. */
export function describeNotes(subject: () => StoreUnderTest): void {
  const write = (change: SlotChange) => subject().store.write(SLOT, change);

  describe('askRefresh', () => {
    const ask = { generation: 1, now: NOW, notSince: NOW - 30_000 };

    it('is won by one of many readers', async () => {
      await published(subject());
      const asks = await Promise.all(Array.from({ length: 20 }, () => write(changes.askRefresh(ask))));

      expect(asks.filter(Boolean)).toHaveLength(1);
      expect((await recordOf(subject())).refreshAskedAt).toBe(NOW);
    });

    it('is won again when the last ask is older than the limit, not when it is as old', async () => {
      await published(subject());
      await write(changes.askRefresh(ask));

      expect(await write(changes.askRefresh({ ...ask, now: NOW + 30_000, notSince: NOW }))).toBe(false);
      expect(await write(changes.askRefresh({ ...ask, now: NOW + 30_001, notSince: NOW + 1 }))).toBe(true);
    });

    it('is not for another generation than the current one', async () => {
      await published(subject());

      expect(await write(changes.askRefresh({ ...ask, generation: 2 }))).toBe(false);
      expect((await recordOf(subject())).refreshAskedAt).toBe(0);
    });

    it('makes no item where there is none', async () => {
      expect(await write(changes.askRefresh({ ...ask, generation: 1 }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('recordUse', () => {
    const use = { now: NOW, notSince: NOW - 360_000 };

    it('notes a hand-out once in a while, however many there are', async () => {
      await published(subject());
      const uses = await Promise.all(Array.from({ length: 20 }, () => write(changes.recordUse(use))));

      expect(uses.filter(Boolean)).toHaveLength(1);
      expect((await recordOf(subject())).lastHandedOutAt).toBe(NOW);
      expect(await write(changes.recordUse({ ...use, now: NOW + 360_000, notSince: NOW }))).toBe(false);
      expect(await write(changes.recordUse({ ...use, now: NOW + 360_001, notSince: NOW + 1 }))).toBe(true);
    });

    it('puts an idle slot back on the schedule, and leaves one that is on it where it is', async () => {
      const { generation } = await published(subject());
      await write(changes.recordUse({ ...use, dueAt: NOW + 1 }));
      expect((await recordOf(subject())).dueAt).toBe(NOW + 2_880_000);

      await write(changes.reschedule({ generation, lastHandedOutAt: NOW }));
      await write(changes.recordUse({ ...use, now: NOW + 2, notSince: NOW + 1, dueAt: NOW + 3 }));
      expect((await recordOf(subject())).dueAt).toBe(NOW + 3);
      expect(await subject().store.due({ now: NOW + 3, limit: 10 })).toEqual([{ slot: SLOT, dueAt: NOW + 3 }]);
    });

    it('leaves the schedule alone where no time is given', async () => {
      await leased(subject());
      await write(changes.recordUse(use));

      expect((await recordOf(subject())).dueAt).toBeUndefined();
    });

    it('makes no item where there is none', async () => {
      expect(await write(changes.recordUse({ ...use, dueAt: NOW }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('markRejected', () => {
    it('notes that the current token is dead', async () => {
      await published(subject());

      expect(await write(changes.markRejected({ generation: 1, hash: sealedToken().hash }))).toBe(true);
      expect((await recordOf(subject())).rejectedGeneration).toBe(1);
    });

    it('notes nothing of a token that is not current', async () => {
      await published(subject());

      expect(await write(changes.markRejected({ generation: 2, hash: sealedToken().hash }))).toBe(false);
      expect((await recordOf(subject())).rejectedGeneration).toBe(0);
    });

    it('notes nothing where the current generation has no token', async () => {
      await published(subject());
      await write(changes.purge({ ttlSeconds: TTL_SECONDS }));

      expect(await write(changes.markRejected({ generation: 2, hash: sealedToken().hash }))).toBe(false);
      expect((await recordOf(subject())).rejectedGeneration).toBe(0);
    });
  });

  describe('reschedule', () => {
    it('takes an idle slot off the schedule, out of the index too', async () => {
      await published(subject(), { lastHandedOutAt: NOW });

      expect(await write(changes.reschedule({ generation: 1, lastHandedOutAt: NOW }))).toBe(true);
      expect((await recordOf(subject())).dueAt).toBeUndefined();
      expect(await subject().item(SLOT)).not.toHaveProperty('shard');
    });

    it('moves a slot', async () => {
      await published(subject());

      expect(await write(changes.reschedule({ generation: 1, lastHandedOutAt: 0, dueAt: NOW }))).toBe(true);
      expect((await recordOf(subject())).dueAt).toBe(NOW);
    });

    it('takes a slot without a number as one whose number is 0', async () => {
      await leased(subject());

      expect(await write(changes.reschedule({ generation: 0, lastHandedOutAt: 0, dueAt: NOW }))).toBe(true);
    });

    it('changes nothing where a hand-out came between', async () => {
      await published(subject());
      await write(changes.recordUse({ now: NOW, notSince: NOW }));

      expect(await write(changes.reschedule({ generation: 1, lastHandedOutAt: 0 }))).toBe(false);
      expect(await write(changes.reschedule({ generation: 1, lastHandedOutAt: NOW - 1 }))).toBe(false);
      expect((await recordOf(subject())).dueAt).toBe(publicationOf().dueAt);
    });

    it('changes nothing where the hand-out that it saw is no longer noted', async () => {
      await published(subject());

      expect(await write(changes.reschedule({ generation: 1, lastHandedOutAt: NOW }))).toBe(false);
    });

    it('changes nothing where another generation came between', async () => {
      await published(subject());

      expect(await write(changes.reschedule({ generation: 0, lastHandedOutAt: 0 }))).toBe(false);
      expect(await write(changes.reschedule({ generation: 2, lastHandedOutAt: 0 }))).toBe(false);
      expect((await recordOf(subject())).dueAt).toBe(publicationOf().dueAt);
    });

    it('makes no item where there is none', async () => {
      const change = { generation: 0, lastHandedOutAt: 0, dueAt: NOW };

      expect(await write(changes.reschedule(change))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('purge', () => {
    it('drops token, failure and schedule, and advances the generation past a rejection', async () => {
      await published(subject(), { lastHandedOutAt: NOW });
      await write(changes.markRejected({ generation: 1, hash: sealedToken().hash }));
      await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-2' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2', refusedVersion: 'version-1', dueAt: NOW })));

      expect(await write(changes.purge({ ttlSeconds: TTL_SECONDS + 9 }))).toBe(true);
      expect(await recordOf(subject())).toEqual({
        generation: 2,
        fence: 2,
        tries: 0,
        notBefore: 0,
        rejectedGeneration: 1,
        lastHandedOutAt: NOW,
        refreshAskedAt: 0,
        ttlSeconds: TTL_SECONDS + 9,
      });
      const left = Object.keys((await subject().item(SLOT)) ?? {});
      expect(left.sort()).toEqual(['fence', 'gen', 'lastHandedOutAt', 'pk', 'rejectedGen', 'sk', 'ttl']);
    });

    it('never touches a lease', async () => {
      const { lease } = await leased(subject());
      await write(changes.purge({ ttlSeconds: TTL_SECONDS }));

      expect((await recordOf(subject())).lease).toEqual(lease);
    });

    it('advances the generation once for each', async () => {
      await published(subject());
      await Promise.all([1, 2, 3].map(() => write(changes.purge({ ttlSeconds: TTL_SECONDS }))));

      expect((await recordOf(subject())).generation).toBe(4);
    });

    it('makes no item where there is none', async () => {
      expect(await write(changes.purge({ ttlSeconds: TTL_SECONDS }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('endBackOff', () => {
    it('ends the back-off, keeps the refusal and puts the slot on the schedule where a time is given', async () => {
      await leased(subject());
      await write(changes.fail(failureOf({ refusedVersion: 'version-1' })));
      const { notBefore: seen, ...before } = await recordOf(subject());

      expect(await write(changes.endBackOff({ notBefore: seen }, { notBefore: NOW }))).toBe(true);
      expect(await recordOf(subject())).toEqual({ ...before, notBefore: NOW });
      expect(await write(changes.endBackOff({ notBefore: NOW }, { notBefore: NOW - 1, dueAt: NOW }))).toBe(true);
      expect(await recordOf(subject())).toEqual({ ...before, notBefore: NOW - 1, dueAt: NOW });
    });

    it('leaves a back-off alone that is another than was read', async () => {
      await leased(subject());
      const before = await recordOf(subject());

      expect(await write(changes.endBackOff({ notBefore: before.notBefore - 1 }, { notBefore: NOW, dueAt: NOW }))).toBe(
        false,
      );
      expect(await recordOf(subject())).toEqual(before);
    });

    it('makes no item where there is none', async () => {
      expect(await write(changes.endBackOff({ notBefore: NOW }, { notBefore: NOW, dueAt: NOW }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('askProof', () => {
    it('has a slot at rest prove a version, until that is judged', async () => {
      const before = await published(subject());
      const asked = { unprovenVersion: 'version-2', dueAt: NOW };

      expect(await write(changes.askProof({}, asked))).toBe(true);
      expect(await recordOf(subject())).toEqual({ ...before, ...asked, fence: before.fence + 1 });
      expect(await write(changes.endProof({ version: 'version-1' }))).toBe(false);
      expect(await write(changes.endProof({ version: 'version-2' }))).toBe(true);
      expect(await recordOf(subject())).toEqual({ ...before, dueAt: NOW, fence: before.fence + 2 });
    });

    it('asks no slot at work, and makes no item where there is none', async () => {
      expect(await write(changes.askProof({}, { unprovenVersion: 'version-2', dueAt: NOW }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
      await leased(subject());
      expect(await write(changes.askProof({}, { unprovenVersion: 'version-2', dueAt: NOW }))).toBe(false);
    });
  });
}
