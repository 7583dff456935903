import { describe, expect, it } from 'vitest';
import {
  claimOn,
  failureOf,
  leased,
  NOW,
  type ProxyStoreUnderTest,
  published,
  recordOf,
  SLOT,
  sealedToken,
  TTL_SECONDS,
} from './store-under-test.ts';

const slid = sealedToken({ publicationId: 'publication-2', hash: 'cd'.repeat(32), refreshAt: NOW + 5_000_000 });

/** An end of the item that is not the one it had. */
const LATER_SECONDS = TTL_SECONDS + 86_400;

/** What the proxy writes: slides taken up, renewals barred, leases held for a call. */
export function describeProxyWrites(subject: () => ProxyStoreUnderTest): void {
  describe('adopt', () => {
    const slide = {
      slot: SLOT,
      seenGeneration: 1,
      usedHash: sealedToken().hash,
      token: slid,
      dueAt: slid.refreshAt,
      ttlSeconds: TTL_SECONDS + 9,
      now: NOW,
    };

    it('puts the slid token in place as the next generation, on the schedule', async () => {
      await published(subject());

      expect(await subject().proxyStore.adopt(slide)).toBe(true);
      expect(await recordOf(subject())).toMatchObject({
        generation: 2,
        token: slid,
        dueAt: slid.refreshAt,
        ttlSeconds: TTL_SECONDS + 9,
      });
    });

    it('is done once by one of many', async () => {
      await published(subject());
      const adopted = await Promise.all(Array.from({ length: 20 }, () => subject().proxyStore.adopt(slide)));

      expect(adopted.filter(Boolean)).toHaveLength(1);
    });

    it('never replaces another generation than the one used (C18)', async () => {
      await published(subject());

      expect(await subject().proxyStore.adopt({ ...slide, seenGeneration: 0 })).toBe(false);
      expect(await subject().proxyStore.adopt({ ...slide, seenGeneration: 2 })).toBe(false);
      expect((await recordOf(subject())).generation).toBe(1);
    });

    it('stands back while a lease is live, and not when it has lapsed', async () => {
      const seen = await published(subject());
      await subject().store.acquire(claimOn(seen, { leaseId: 'lease-2' }));

      expect(await subject().proxyStore.adopt({ ...slide, now: NOW + 16_999 })).toBe(false);
      expect(await subject().proxyStore.adopt({ ...slide, now: NOW + 17_000 })).toBe(true);
    });

    it('ends back-off and rejection, and keeps a refused secret version', async () => {
      const seen = await published(subject());
      await subject().store.acquire(claimOn(seen, { leaseId: 'lease-2' }));
      await subject().store.fail(failureOf({ leaseId: 'lease-2', refusedVersion: 'version-9' }));
      await subject().store.markRejected({ slot: SLOT, generation: 1, hash: sealedToken().hash });
      await subject().proxyStore.adopt(slide);
      const record = await recordOf(subject());

      expect(record).toMatchObject({ notBefore: 0, tries: 0, rejectedGeneration: 0, refusedVersion: 'version-9' });
      expect(record.failure).toBeUndefined();
    });

    it('makes no token where there is none', async () => {
      expect(await subject().proxyStore.adopt({ ...slide, seenGeneration: 0 })).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('barRenewal', () => {
    it('notes until when, for the current generation alone', async () => {
      await published(subject());

      expect(await subject().proxyStore.barRenewal({ slot: SLOT, generation: 2, until: NOW + 1 })).toBe(false);
      expect(await subject().proxyStore.barRenewal({ slot: SLOT, generation: 1, until: NOW + 30_000 })).toBe(true);
      expect((await recordOf(subject())).renewalBarredUntil).toBe(NOW + 30_000);
    });

    it('is undone by a purge', async () => {
      await published(subject());
      await subject().proxyStore.barRenewal({ slot: SLOT, generation: 1, until: NOW + 30_000 });
      await subject().store.purge({ slot: SLOT, ttlSeconds: TTL_SECONDS });

      expect((await recordOf(subject())).renewalBarredUntil).toBeUndefined();
    });
  });

  describe('beginCall', () => {
    it('gives the lease to one of many, and counts as no try and no back-off', async () => {
      const seen = await published(subject());
      const claims = Array.from({ length: 20 }, (_, index) =>
        subject().proxyStore.beginCall({
          slot: SLOT,
          leaseId: `call-${index}`,
          now: NOW,
          leaseUntil: NOW + 9_000,
          ttlSeconds: LATER_SECONDS,
          seen,
        }),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
      expect(await recordOf(subject())).toMatchObject({
        lease: { until: NOW + 9_000 },
        tries: 0,
        notBefore: 0,
        fence: seen.fence + 1,
        generation: 1,
        ttlSeconds: LATER_SECONDS,
      });
    });

    it('goes through a back-off, since the token is good', async () => {
      const seen = await published(subject());
      await subject().store.acquire(claimOn(seen, { leaseId: 'lease-2' }));
      await subject().store.fail(failureOf({ leaseId: 'lease-2' }));
      const failed = await recordOf(subject());
      const claim = {
        slot: SLOT,
        leaseId: 'call',
        now: NOW + 7_000,
        leaseUntil: NOW + 9_000,
        ttlSeconds: LATER_SECONDS,
        seen: failed,
      };

      expect(await subject().proxyStore.beginCall(claim)).toBe(true);
      expect(await recordOf(subject())).toMatchObject({ notBefore: failed.notBefore, tries: failed.tries });
    });

    it('is refused by a live lease, and takes over the very one that was seen to lapse', async () => {
      const seen = await published(subject());
      await subject().store.acquire(claimOn(seen, { leaseId: 'lease-2' }));
      const held = await recordOf(subject());
      const call = { slot: SLOT, leaseId: 'call', leaseUntil: NOW + 30_000, ttlSeconds: LATER_SECONDS };

      expect(await subject().proxyStore.beginCall({ ...call, now: NOW, seen })).toBe(false);
      expect(await subject().proxyStore.beginCall({ ...call, now: NOW + 16_999, seen: held })).toBe(false);
      expect(await subject().proxyStore.beginCall({ ...call, now: NOW + 17_000, seen: held })).toBe(true);
      expect(await subject().proxyStore.beginCall({ ...call, now: NOW + 17_000, seen: held })).toBe(false);
    });

    it('needs a token of the generation seen', async () => {
      const empty = await leased(subject());
      await subject().store.release({ slot: SLOT, leaseId: 'lease-1' });
      const { lease: _, ...seen } = empty;
      const call = { slot: SLOT, leaseId: 'call', now: NOW, leaseUntil: NOW + 9_000, ttlSeconds: LATER_SECONDS };

      expect(await subject().proxyStore.beginCall({ ...call, seen })).toBe(false);
    });
  });
}
