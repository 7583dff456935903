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

/** Tests the ends of an attempt under a lease (invariants 5 and 7). */
export function describeOutcomes(subject: () => StoreUnderTest): void {
  const write = (change: SlotChange) => subject().store.write(SLOT, change);
  const begin = (start: { readonly leaseId: string; readonly begunBy: string }) =>
    subject().store.writeAndRead(SLOT, changes.begin(start));

  describe('publish', () => {
    it('lets a refused secret version stand where the publication says so', async () => {
      const first = await published(subject());
      await write(changes.acquire(claimOn(first, { leaseId: 'lease-2' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2', refusedVersion: 'version-1', notBefore: NOW })));
      await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-3' })));
      const publication = publicationOf({ leaseId: 'lease-3', seenGeneration: 1, keepsRefusal: true });

      expect(await write(changes.publish(publication))).toBe(true);
      const record = await recordOf(subject());
      expect(record).toMatchObject({ generation: 2, refusedVersion: 'version-1', notBefore: 0, tries: 0 });
      expect(record.failure).toBeUndefined();
    });

    it('puts the next generation in place of lease and failure, past a rejection', async () => {
      await published(subject());
      await write(changes.markRejected({ generation: 1, hash: sealedToken().hash }));
      await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-2', notBefore: NOW })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2', refusedVersion: 'version-1', notBefore: NOW })));
      await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-3' })));
      await begin({ leaseId: 'lease-3', begunBy: 'request-3' });
      const token = sealedToken({ publicationId: 'lease-3', secretVersion: 'version-2', issuedAt: NOW + 5 });
      const publication = publicationOf({ leaseId: 'lease-3', seenGeneration: 1, token, lastHandedOutAt: NOW + 7 });

      expect(await write(changes.publish(publication))).toBe(true);
      expect(await recordOf(subject())).toEqual({
        generation: 2,
        token,
        fence: 3,
        tries: 0,
        notBefore: 0,
        rejectedGeneration: 1,
        lastHandedOutAt: NOW + 7,
        refreshAskedAt: 0,
        dueAt: NOW + 2_880_000,
        ttlSeconds: TTL_SECONDS + 1,
      });
      expect(Object.keys((await subject().item(SLOT)) ?? {})).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(lease.*|begunBy|notBefore|tries|fail.*|badSv)$/)]),
      );
    });

    it('stores the attributes under the names and in the types that other readers of the table rely on', async () => {
      await published(subject());

      expect(await subject().item(SLOT)).toMatchObject({
        pk: { S: 'helpdesk' },
        sk: { S: 'system#f00d' },
        gen: { N: '1' },
        ct: { B: Uint8Array.of(1, 2, 3) },
        dk: { B: Uint8Array.of(4, 5, 6) },
        issuedAt: { N: String(NOW) },
        usableUntil: { N: String(NOW + 3_595_000) },
        refreshAt: { N: String(NOW + 2_880_000) },
        sessionStartedAt: { N: String(NOW - 1) },
        sv: { S: 'version-1' },
        tokenHash: { S: 'ab'.repeat(32) },
        pubId: { S: 'publication-1' },
        dueAt: { N: String(NOW + 2_880_000) },
        shard: { N: expect.stringMatching(/^[0-3]$/) },
        ttl: { N: String(TTL_SECONDS + 1) },
      });
    });

    it('discards the token of a holder that lost its lease', async () => {
      const seen = await leased(subject(), { notBefore: NOW });
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', now: NOW + 17_000 })));

      expect(await write(changes.publish(publicationOf()))).toBe(false);
      expect((await recordOf(subject())).token).toBeUndefined();
    });

    it('discards a token after a purge in mid-flight, although the lease is still held', async () => {
      await leased(subject());
      await write(changes.purge({ ttlSeconds: TTL_SECONDS }));

      expect(await write(changes.publish(publicationOf()))).toBe(false);
      expect(await recordOf(subject())).toMatchObject({ generation: 1, lease: { id: 'lease-1' } });
      expect((await recordOf(subject())).token).toBeUndefined();
    });

    it('publishes once however often it is sent', async () => {
      await leased(subject());
      const results = await Promise.all([1, 2, 3].map(() => write(changes.publish(publicationOf()))));

      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await recordOf(subject())).generation).toBe(1);
    });
  });

  describe('fail', () => {
    it('writes down the failure, ends the lease and goes back on the schedule', async () => {
      await leased(subject());
      await begin({ leaseId: 'lease-1', begunBy: 'request-1' });

      expect(await write(changes.fail(failureOf({ dueAt: NOW + 36_000, refusedVersion: 'version-1' })))).toBe(true);
      expect(await recordOf(subject())).toEqual({
        generation: 0,
        fence: 1,
        tries: 1,
        notBefore: NOW + 36_000,
        failure: { code: 'upstream_timeout', at: NOW + 6_000 },
        refusedVersion: 'version-1',
        dueAt: NOW + 36_000,
        rejectedGeneration: 0,
        lastHandedOutAt: 0,
        refreshAskedAt: 0,
        ttlSeconds: TTL_SECONDS + 2,
      });
    });

    it('keeps the token that is there and the version that was refused before', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', notBefore: NOW })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2', notBefore: NOW, refusedVersion: 'version-1' })));
      await write(changes.acquire(claimOn(await recordOf(subject()), { leaseId: 'lease-3' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-3' })));

      expect(await recordOf(subject())).toMatchObject({ token: sealedToken(), refusedVersion: 'version-1' });
    });

    it('takes the slot off the schedule where no time is given', async () => {
      const seen = await published(subject());
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2' })));
      await write(changes.fail(failureOf({ leaseId: 'lease-2' })));

      expect((await recordOf(subject())).dueAt).toBeUndefined();
      expect(await subject().item(SLOT)).not.toHaveProperty('shard');
    });

    it('goes back to the count of tries it is given', async () => {
      await leased(subject());
      await write(changes.fail(failureOf({ tries: 0 })));

      expect((await recordOf(subject())).tries).toBe(0);
    });

    it('changes nothing for a holder that lost its lease', async () => {
      const seen = await leased(subject(), { notBefore: NOW });
      await write(changes.acquire(claimOn(seen, { leaseId: 'lease-2', now: NOW + 17_000 })));
      const before = await recordOf(subject());

      expect(await write(changes.fail(failureOf()))).toBe(false);
      expect(await recordOf(subject())).toEqual(before);
    });
  });

  describe('release', () => {
    it('ends the lease and nothing else', async () => {
      const { lease: _, ...rest } = await leased(subject());

      expect(await write(changes.release({ leaseId: 'lease-1' }))).toBe(true);
      expect(await recordOf(subject())).toEqual(rest);
    });

    it('leaves the lease of another holder alone', async () => {
      await leased(subject());

      expect(await write(changes.release({ leaseId: 'lease-0' }))).toBe(false);
      expect((await recordOf(subject())).lease?.id).toBe('lease-1');
    });
  });
}
