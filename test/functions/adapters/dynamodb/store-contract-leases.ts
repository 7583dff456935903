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

/** Tests the leases of a store (invariants 3, 4 and 6). */
export function describeLeases(subject: () => StoreUnderTest): void {
  const write = (change: SlotChange) => subject().store.write(SLOT, change);
  const begin = (start: { readonly leaseId: string; readonly begunBy: string }) =>
    subject().store.writeAndRead(SLOT, changes.begin(start));

  describe('acquire', () => {
    it('is not won on a record read before another lease came and went', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', notBefore: NOW })));
      await write(changes.release({ leaseId: 'lease-2' }));

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'lease-3' })))).toBe(false);
      expect(await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-3' })))).toBe(true);
    });

    it('is not won on a record read before the token was reported dead', async () => {
      const seen = await published(subject());
      await write(changes.markRejected({ generation: 1, hash: sealedToken().hash }));

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })))).toBe(false);
      expect(await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-2' })))).toBe(true);
    });

    it('is not won on a record whose very token came by another publication', async () => {
      const seen = await published(subject());
      const before = { ...seen, token: seen.token && { ...seen.token, publicationId: 'another' } };

      expect(await write(changes.acquire(claimOn(before, { leaseId: 'lease-2' })))).toBe(false);
      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })))).toBe(true);
    });

    it('makes the item of a slot that nothing is known of, with the back-off already in it', async () => {
      expect(await leased(subject())).toEqual({
        generation: 0,
        fence: 1,
        tries: 1,
        notBefore: NOW + 30_000,
        lease: { id: 'lease-1', until: NOW + 17_000 },
        rejectedGeneration: 0,
        lastHandedOutAt: 0,
        refreshAskedAt: 0,
        ttlSeconds: TTL_SECONDS,
      });
    });

    it('gives a slot that nothing is known of to one of fifty who claim it at once', async () => {
      const claims = Array.from({ length: 50 }, (_, n) =>
        write(changes.acquire(claimOn(undefined, { leaseId: `lease-${n}` }))),
      );
      const won = (await Promise.all(claims)).flatMap((isWon, n) => (isWon ? [n] : []));

      expect(won).toHaveLength(1);
      expect((await recordOf(subject())).lease?.id).toBe(`lease-${won[0]}`);
      expect((await recordOf(subject())).fence).toBe(1);
    });

    it('gives a lapsed lease to one of fifty who saw it lapse', async () => {
      const seen = await leased(subject());
      const now = NOW + 40_000;
      const claims = Array.from({ length: 50 }, (_, n) =>
        // A past `notBefore` leaves the lease alone to decide.
        write(changes.acquire(claimOn(seen, { leaseId: `next-${n}`, now, notBefore: now, leaseUntil: now + 17_000 }))),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
      expect(await recordOf(subject())).toMatchObject({ fence: 2, tries: 2 });
    });

    it('gives a released slot to one of fifty', async () => {
      await leased(subject(), { notBefore: NOW });
      await write(changes.release({ leaseId: 'lease-1' }));
      const seen = await recordOf(subject());
      const claims = Array.from({ length: 50 }, (_, n) =>
        write(changes.acquire(claimOn(seen, { leaseId: `next-${n}`, notBefore: NOW }))),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    });

    it('takes nothing where there was no item when it looked and there is one now', async () => {
      await published(subject());

      expect(await write(changes.acquire(claimOn(undefined, { leaseId: 'late' })))).toBe(false);
      expect((await recordOf(subject())).lease).toBeUndefined();
    });

    it('takes nothing when another generation was published since it looked', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', notBefore: NOW })));
      await write(changes.publish(publicationOf({ leaseId: 'lease-2', seenGeneration: 1 })));

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'late', now: NOW + 60_000 })))).toBe(false);
      expect((await recordOf(subject())).lease).toBeUndefined();
    });

    it('takes nothing when the first generation was published since it looked', async () => {
      const { lease: _, ...seen } = await leased(subject(), { notBefore: NOW });
      await write(changes.publish(publicationOf()));

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'late' })))).toBe(false);
    });

    it('takes nothing where the item that it saw has expired since', async () => {
      const seen = { ...(await published(subject())), generation: 3 };
      const slot = { ...SLOT, subject: '88' };

      expect(await subject().store.write(slot, changes.acquire(claimOn(seen)))).toBe(false);
      expect(await subject().item(slot)).toBeUndefined();
    });

    it('takes nothing from a holder that came after it looked', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', notBefore: NOW })));

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'late' })))).toBe(false);
      expect((await recordOf(subject())).lease?.id).toBe('lease-2');
    });

    it('takes a lapsed lease only from the holder that it saw', async () => {
      const seen = await leased(subject(), { notBefore: NOW });
      const now = NOW + 20_000;
      await write(
        changes.acquire(claimOn(seen, { leaseId: 'lease-2', now, notBefore: now, leaseUntil: now + 17_000 })),
      );

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'late', now })))).toBe(false);
      expect((await recordOf(subject())).lease?.id).toBe('lease-2');
    });

    it('takes nothing before the back-off is over, and the lease at its very end', async () => {
      await leased(subject());
      await write(changes.fail(failureOf({ notBefore: NOW + 36_000 })));
      const seen = await recordOf(subject());

      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'early', now: NOW + 35_999 })))).toBe(false);
      expect(await write(changes.acquire(claimOn(seen, { leaseId: 'on-time', now: NOW + 36_000 })))).toBe(true);
      expect(await recordOf(subject())).toMatchObject({ tries: 2, fence: 2, lease: { id: 'on-time' } });
    });

    it('forgets that work under the lease before had begun', async () => {
      const seen = await leased(subject(), { notBefore: NOW });
      await begin({ leaseId: 'lease-1', begunBy: 'request-1' });
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', now: NOW + 17_000 })));

      expect((await recordOf(subject())).lease).toEqual({ id: 'lease-2', until: NOW + 17_000 });
    });

    it('keeps the token that is there', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));

      expect(await recordOf(subject())).toMatchObject({ generation: 1, token: sealedToken() });
    });
  });

  describe('begin', () => {
    it('marks the lease and gives the record after it', async () => {
      await leased(subject());
      const record = await begin({ leaseId: 'lease-1', begunBy: 'request-1' });

      expect(record).toEqual(await recordOf(subject()));
      expect(record?.lease).toEqual({ id: 'lease-1', until: NOW + 17_000, begunBy: 'request-1' });
    });

    it('lets one of many duplicates of an invocation begin', async () => {
      await leased(subject());
      const begun = await Promise.all(
        Array.from({ length: 20 }, (_, n) => begin({ leaseId: 'lease-1', begunBy: `request-${n}` })),
      );

      expect(begun.filter((record) => record !== undefined)).toHaveLength(1);
    });

    it('refuses the same invocation a second time, for it may be a retry of one that has logged in', async () => {
      await leased(subject());
      const start = { leaseId: 'lease-1', begunBy: 'request-1' };

      expect((await begin(start))?.lease).toMatchObject({ id: 'lease-1', begunBy: 'request-1' });
      expect(await begin(start)).toBeUndefined();
    });

    it('refuses a lease that is not held', async () => {
      await leased(subject());

      expect(await begin({ leaseId: 'lease-0', begunBy: 'request-1' })).toBeUndefined();
      expect((await recordOf(subject())).lease?.begunBy).toBeUndefined();
    });

    it('makes no item where there is none', async () => {
      expect(await begin({ leaseId: 'lease-1', begunBy: 'request-1' })).toBeUndefined();
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });
}
