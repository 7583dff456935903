import { describe, expect, it } from 'vitest';
import type { SlotChange } from '../../../../functions/core/slot/changes.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import { EMPTY_RECORD } from '../../../../functions/core/slot/record.ts';
import {
  claimOn,
  failureOf,
  leased,
  NOW,
  published,
  recordOf,
  SLOT,
  type StoreUnderTest,
  sealedToken,
  TTL_SECONDS,
  withToken,
} from './store-under-test.ts';

const slid = sealedToken({ publicationId: 'publication-2', hash: 'cd'.repeat(32), refreshAt: NOW + 5_000_000 });

/** An end of the item that is not the one it had. */
const LATER_SECONDS = TTL_SECONDS + 86_400;

/** Tests the writes of the proxy and of logouts: slides taken up, renewals barred, leases held for a call or a logout. */
export function describeProxyWrites(subject: () => StoreUnderTest): void {
  const write = (change: SlotChange) => subject().store.write(SLOT, change);

  describe('adopt', () => {
    const slide = {
      seenGeneration: 1,
      usedHash: sealedToken().hash,
      token: slid,
      dueAt: slid.refreshAt,
      ttlSeconds: TTL_SECONDS + 9,
      now: NOW,
    };

    it('puts the slid token in place as the next generation, on the schedule', async () => {
      await published(subject());

      expect(await write(changes.adopt(slide))).toBe(true);
      expect(await recordOf(subject())).toMatchObject({
        generation: 2,
        token: slid,
        dueAt: slid.refreshAt,
        ttlSeconds: TTL_SECONDS + 9,
      });
    });

    it('is done once by one of many', async () => {
      await published(subject());
      const adopted = await Promise.all(Array.from({ length: 20 }, () => write(changes.adopt(slide))));

      expect(adopted.filter(Boolean)).toHaveLength(1);
    });

    it('never replaces another generation than the one used (C18)', async () => {
      await published(subject());

      expect(await write(changes.adopt({ ...slide, seenGeneration: 0 }))).toBe(false);
      expect(await write(changes.adopt({ ...slide, seenGeneration: 2 }))).toBe(false);
      expect((await recordOf(subject())).generation).toBe(1);
    });

    it('stands back while a lease is live, and not when it has lapsed', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));

      expect(await write(changes.adopt({ ...slide, now: NOW + 16_999 }))).toBe(false);
      expect(await write(changes.adopt({ ...slide, now: NOW + 17_000 }))).toBe(true);
    });

    it('ends a back-off, goes past a rejection and keeps a refused secret version', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2', refusedVersion: 'version-9' })));
      await write(changes.markRejected({ generation: 1, hash: sealedToken().hash }));
      await write(changes.adopt(slide));
      const record = await recordOf(subject());

      expect(record).toMatchObject({
        notBefore: 0,
        tries: 0,
        generation: 2,
        rejectedGeneration: 1,
        refusedVersion: 'version-9',
      });
      expect(record.failure).toBeUndefined();
    });

    it('makes no token where there is none', async () => {
      expect(await write(changes.adopt({ ...slide, seenGeneration: 0 }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });

  describe('barRenewal', () => {
    it('notes until when, for the current token alone', async () => {
      await published(subject());

      expect(await write(changes.barRenewal({ hash: slid.hash, until: NOW + 1 }))).toBe(false);
      expect(await write(changes.barRenewal({ hash: sealedToken().hash, until: NOW + 30_000 }))).toBe(true);
      expect((await recordOf(subject())).renewalBarredUntil).toBe(NOW + 30_000);
    });

    it('is undone by a purge', async () => {
      await published(subject());
      await write(changes.barRenewal({ hash: sealedToken().hash, until: NOW + 30_000 }));
      await write(changes.purge({ ttlSeconds: TTL_SECONDS }));

      expect((await recordOf(subject())).renewalBarredUntil).toBeUndefined();
    });
  });

  describe('beginCall', () => {
    it('gives the lease to one of many, and counts as no try and no back-off', async () => {
      const seen = await published(subject());
      const claims = Array.from({ length: 20 }, (_, index) =>
        write(
          changes.beginCall({
            leaseId: `call-${index}`,
            leaseUntil: NOW + 9_000,
            ttlSeconds: LATER_SECONDS,
            seen,
            turns: 'some-caller',
          }),
        ),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
      expect(await recordOf(subject())).toMatchObject({
        lease: { until: NOW + 9_000 },
        tries: 0,
        notBefore: 0,
        fence: seen.fence + 1,
        generation: 1,
        ttlSeconds: LATER_SECONDS,
        turns: 'some-caller',
      });
    });

    it('goes through a back-off, since the token is good', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2' })));
      const failed = withToken(await recordOf(subject()));
      const claim = {
        leaseId: 'call',
        leaseUntil: NOW + 9_000,
        ttlSeconds: LATER_SECONDS,
        seen: failed,
        turns: 'some-caller',
      };

      expect(await write(changes.beginCall(claim))).toBe(true);
      expect(await recordOf(subject())).toMatchObject({ notBefore: failed.notBefore, tries: failed.tries });
    });

    it('is refused by a lease that came after it looked, and takes over the very one that was seen', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));
      const held = withToken(await recordOf(subject()));
      const call = { leaseId: 'call', leaseUntil: NOW + 30_000, ttlSeconds: LATER_SECONDS, turns: 'some-caller' };

      expect(await write(changes.beginCall({ ...call, seen }))).toBe(false);
      expect(await write(changes.beginCall({ ...call, seen: held }))).toBe(true);
      expect(await write(changes.beginCall({ ...call, seen: held }))).toBe(false);
    });

    it('needs the token seen', async () => {
      const empty = await leased(subject());
      await write(changes.release({ leaseId: 'lease-1' }));
      const { lease: _, ...seen } = empty;
      const call = { leaseId: 'call', leaseUntil: NOW + 9_000, ttlSeconds: LATER_SECONDS, turns: 'some-caller' };

      expect(await write(changes.beginCall({ ...call, seen: { ...seen, token: sealedToken() } }))).toBe(false);
    });

    it('needs the turns seen', async () => {
      const seen = await published(subject());
      await write(changes.changeTurns({ seen, turns: ' 9/other/call-1' }));
      const call = { leaseId: 'call', leaseUntil: NOW + 9_000, ttlSeconds: LATER_SECONDS, turns: 'some-caller' };

      expect(await write(changes.beginCall({ ...call, seen }))).toBe(false);
      const again = withToken(await recordOf(subject()));
      expect(await write(changes.beginCall({ ...call, seen: again }))).toBe(true);
    });
  });

  describe('changeTurns', () => {
    it('is made by one of many that saw the same, and changes nothing else', async () => {
      const seen = await published(subject());
      const joined = Array.from({ length: 20 }, (_, n) => write(changes.changeTurns({ seen, turns: ` 9/c/${n}` })));

      expect((await Promise.all(joined)).filter(Boolean)).toHaveLength(1);
      const { turns, ...rest } = await recordOf(subject());
      expect(turns).toMatch(/^ 9\/c\/\d+$/);
      expect({ ...rest, turns: undefined }).toEqual({ ...seen, turns: undefined });
    });

    it('makes no part of an item', async () => {
      expect(await write(changes.changeTurns({ seen: EMPTY_RECORD, turns: 'c' }))).toBe(false);
      expect(await subject().item(SLOT)).toBeUndefined();
    });
  });
  describe('borrow', () => {
    const claim = { leaseId: 'logout', leaseUntil: NOW + 9_000, ttlSeconds: LATER_SECONDS };

    it('gives the lease of a purged slot to one of many, and counts as no try and no back-off', async () => {
      await published(subject());
      await write(changes.purge({ ttlSeconds: TTL_SECONDS }));
      const seen = await recordOf(subject());
      const claims = Array.from({ length: 20 }, (_, index) =>
        write(changes.borrow({ ...claim, leaseId: `logout-${index}`, seen })),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
      expect(await recordOf(subject())).toMatchObject({
        ...{ lease: { until: NOW + 9_000 }, tries: 0, notBefore: 0, generation: 2, ttlSeconds: LATER_SECONDS },
        fence: seen.fence + 1,
      });
    });

    it('needs the token seen, be it another or none', async () => {
      const seen = await published(subject());
      expect(await write(changes.borrow({ ...claim, seen: { ...seen, token: undefined } }))).toBe(false);
      expect(await write(changes.borrow({ ...claim, seen: { ...seen, token: slid } }))).toBe(false);
      expect(await write(changes.borrow({ ...claim, seen }))).toBe(true);
    });

    it('makes the item of a slot that has none, once', async () => {
      const claims = Array.from({ length: 20 }, (_, index) =>
        write(changes.borrow({ ...claim, leaseId: `borrowed-${index}`, seen: undefined })),
      );

      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
      expect(await recordOf(subject())).toMatchObject({ fence: 1, generation: 0, notBefore: 0, tries: 0 });
    });

    it('is refused by a lease that came after it looked, and takes over the very one that was seen', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));

      expect(await write(changes.borrow({ ...claim, seen }))).toBe(false);
      expect(await write(changes.borrow({ ...claim, seen: await recordOf(subject()) }))).toBe(true);
    });
  });
}
