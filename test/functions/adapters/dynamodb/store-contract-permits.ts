import { describe, expect, it } from 'vitest';
import { returnPermit, takePermit } from '../../../../functions/core/slot/permit.ts';
import { NOW, type StoreUnderTest } from './store-under-test.ts';

/** The permits of a connection to wait for a token (invariant 30). */
export function describePermits(subject: () => StoreUnderTest): void {
  const take = (holder: string, { number = 0, now = NOW, connection = 'helpdesk' } = {}) =>
    subject().store.writePermit(connection, number, takePermit({ holder, now, until: now + 1_000 }));
  const giveBack = (holder: string) => subject().store.writePermit('helpdesk', 0, returnPermit({ holder }));

  describe('permits', () => {
    it('are taken once, by one of twenty at once', async () => {
      const taken = await Promise.all(Array.from({ length: 20 }, (_, n) => take(`wait-${n}`)));
      expect(taken.filter(Boolean)).toHaveLength(1);
    });

    it('are free again once they were given back, and by themselves at their end', async () => {
      await take('wait-1');
      expect(await take('wait-2')).toBe(false);
      expect(await giveBack('wait-1')).toBe(true);
      expect(await take('wait-2')).toBe(true);
      expect(await take('wait-3', { now: NOW + 999 })).toBe(false);
      expect(await take('wait-3', { now: NOW + 1_000 })).toBe(true);
    });

    it('are given back by their holder alone', async () => {
      await take('wait-1');
      await take('wait-2', { now: NOW + 1_000 });
      expect(await giveBack('wait-1')).toBe(false);
      expect(await take('wait-3', { now: NOW + 1_001 })).toBe(false);
    });

    it('are a connection’s own, each by its number, and no slots', async () => {
      await take('wait-1');
      expect(await take('wait-2', { number: 1 })).toBe(true);
      expect(await take('wait-3', { connection: 'wfm' })).toBe(true);
      expect(await subject().store.list({ connection: 'helpdesk', limit: 10 })).toEqual({ slots: [] });
    });
  });
}
