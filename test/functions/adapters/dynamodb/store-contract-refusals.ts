import { describe, expect, it } from 'vitest';
import { recordRefusal } from '../../../../functions/core/mint/lockout.ts';
import type { Refusal } from '../../../../functions/core/slot/refusals.ts';
import { published, SLOT, type StoreUnderTest } from './store-under-test.ts';

/** The count of refused slots that stops a connection's logins (invariant 5). */
export function describeRefusals(subject: () => StoreUnderTest): void {
  function refusal(staff: string, secretVersion = 'version-1'): Refusal {
    return { slot: { ...SLOT, subject: staff }, secretVersion, ttlSeconds: 1_800_000_000 };
  }
  const record = (refused: Refusal) => recordRefusal(subject().store, refused);
  /** The secret version, and how many slots were refused. */
  async function counted(connection = 'helpdesk'): Promise<readonly [string, number] | undefined> {
    const found = await subject().store.refusals(connection);
    return found && [found.secretVersion, found.slots.size];
  }

  describe('refusals', () => {
    it('are absent at first', async () => {
      expect(await counted()).toBeUndefined();
    });

    it('counts each slot once', async () => {
      for (const n of ['1', '2', '2', '1']) await record(refusal(n));

      expect(await counted()).toEqual(['version-1', 2]);
    });

    it('misses none of twenty that come at once, first one included', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => record(refusal(String(n + 1)))));

      expect(await counted()).toEqual(['version-1', 20]);
    });

    it('restarts the count for another secret version, and misses none of those that come with it', async () => {
      for (const n of ['1', '2']) await record(refusal(n));
      await Promise.all(['3', '4', '5'].map((n) => record(refusal(n, 'version-2'))));

      expect(await counted()).toEqual(['version-2', 3]);
    });

    it('moves the end of the item with every refusal', async () => {
      await record(refusal('1'));
      await record({ ...refusal('2'), ttlSeconds: 1_800_000_005 });
      await record({ ...refusal('2', 'version-2'), ttlSeconds: 1_800_000_009 });

      expect(await subject().refusalsItem('helpdesk')).toEqual({
        pk: { S: 'helpdesk' },
        sk: { S: '!refusals' },
        sv: { S: 'version-2' },
        slots: { SS: ['2#f00d'] },
        ttl: { N: '1800000009' },
      });
    });

    it('belongs to its connection, and is gone when cleared', async () => {
      await record(refusal('1'));
      await record({ ...refusal('1'), slot: { ...SLOT, connection: 'other' } });
      await subject().store.clearRefusals('helpdesk');
      await subject().store.clearRefusals('helpdesk');

      expect(await counted()).toBeUndefined();
      expect(await counted('other')).toEqual(['version-1', 1]);
    });

    it('leaves the slots alone', async () => {
      const before = await published(subject());
      await record(refusal('system'));
      await subject().store.clearRefusals('helpdesk');

      expect(await subject().store.read(SLOT, { consistent: true })).toEqual(before);
    });

    it('takes an item that cannot be read for none, and mends it', async () => {
      await subject().put({ pk: { S: 'helpdesk' }, sk: { S: '!refusals' }, sv: { N: '1' }, slots: { S: '1' } });

      expect(await counted()).toBeUndefined();
      await record(refusal('1'));
      expect(await counted()).toEqual(['version-1', 1]);
    });
  });
}
