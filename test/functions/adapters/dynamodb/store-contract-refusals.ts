import { describe, expect, it } from 'vitest';
import { published, SLOT, type StoreUnderTest } from './store-under-test.ts';

/** The count of refused slots that stops a connection's logins (invariant 5). */
export function describeRefusals(subject: () => StoreUnderTest): void {
  function refusal(staff: string, secretVersion = 'version-1') {
    return { slot: { ...SLOT, subject: staff }, secretVersion, ttlSeconds: 1_800_000_000 };
  }

  describe('refusals', () => {
    it('are none to begin with', async () => {
      expect(await subject().store.refusals('helpdesk')).toBeUndefined();
    });

    it('counts each slot once', async () => {
      for (const n of ['1', '2', '2', '1']) await subject().store.recordRefusal(refusal(n));

      expect(await subject().store.refusals('helpdesk')).toEqual({ secretVersion: 'version-1', slots: 2 });
    });

    it('misses none of twenty that come at once, first one included', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => subject().store.recordRefusal(refusal(String(n + 1)))));

      expect(await subject().store.refusals('helpdesk')).toEqual({ secretVersion: 'version-1', slots: 20 });
    });

    it('begins anew with another secret version, and misses none of those that come with it', async () => {
      for (const n of ['1', '2']) await subject().store.recordRefusal(refusal(n));
      await Promise.all(['3', '4', '5'].map((n) => subject().store.recordRefusal(refusal(n, 'version-2'))));

      expect(await subject().store.refusals('helpdesk')).toEqual({ secretVersion: 'version-2', slots: 3 });
    });

    it('moves the end of the item with every refusal', async () => {
      await subject().store.recordRefusal(refusal('1'));
      await subject().store.recordRefusal({ ...refusal('2'), ttlSeconds: 1_800_000_005 });
      await subject().store.recordRefusal({ ...refusal('2', 'version-2'), ttlSeconds: 1_800_000_009 });

      expect(await subject().refusalsItem('helpdesk')).toEqual({
        pk: { S: 'helpdesk' },
        sk: { S: '!refusals' },
        sv: { S: 'version-2' },
        slots: { SS: ['2#f00d'] },
        ttl: { N: '1800000009' },
      });
    });

    it('belongs to its connection, and is gone when cleared', async () => {
      await subject().store.recordRefusal(refusal('1'));
      await subject().store.recordRefusal({ ...refusal('1'), slot: { ...SLOT, connection: 'other' } });
      await subject().store.clearRefusals('helpdesk');
      await subject().store.clearRefusals('helpdesk');

      expect(await subject().store.refusals('helpdesk')).toBeUndefined();
      expect(await subject().store.refusals('other')).toEqual({ secretVersion: 'version-1', slots: 1 });
    });

    it('leaves the slots alone', async () => {
      const before = await published(subject());
      await subject().store.recordRefusal(refusal('system'));
      await subject().store.clearRefusals('helpdesk');

      expect(await subject().store.read(SLOT, { consistent: true })).toEqual(before);
    });

    it('takes an item that cannot be read for none, and mends it', async () => {
      await subject().put({ pk: { S: 'helpdesk' }, sk: { S: '!refusals' }, sv: { N: '1' }, slots: { S: '1' } });

      expect(await subject().store.refusals('helpdesk')).toBeUndefined();
      await subject().store.recordRefusal(refusal('1'));
      expect(await subject().store.refusals('helpdesk')).toEqual({ secretVersion: 'version-1', slots: 1 });
    });
  });
}
