import { describe, expect, it } from 'vitest';
import * as changes from '../../../../functions/core/slot/kept.ts';
import { published, SLOT, type StoreUnderTest } from './store-under-test.ts';

const BOOKS = 'helpdesk';
const waiting = { ciphertext: Uint8Array.of(1, 2), dataKey: Uint8Array.of(3) };

/** The item of a connection's kept values: one right to send, and what is known of the value (invariant 19). */
export function describeKept(subject: () => StoreUnderTest): void {
  const write = (change: changes.KeptChange) => subject().store.writeKept(BOOKS, change);
  const kept = () => subject().store.kept(BOOKS);
  const take = (leaseId: string, seen?: changes.KeptRecord) =>
    write(changes.takeKept({ leaseId, leaseUntil: 5, seen }));

  describe('kept values', () => {
    it('are absent at first, and the right to send is taken once of twenty that come at once', async () => {
      expect(await kept()).toBeUndefined();
      const taken = await Promise.all(Array.from({ length: 20 }, (_, n) => take(`lease-${n}`)));

      expect(taken.filter((isTaken) => isTaken)).toHaveLength(1);
      expect(await kept()).toMatchObject({ lease: { until: 5 }, fence: 1 });
    });

    it('are taken over only as they were read', async () => {
      await take('lease-1');
      const seen = await kept();
      expect(await take('lease-2', seen)).toBe(true);

      expect(await take('lease-3', seen)).toBe(false);
      expect(await take('lease-3')).toBe(false);
      expect(await kept()).toMatchObject({ lease: { id: 'lease-2' }, fence: 2 });
    });

    it.each([
      ['noted', changes.noteRefused({ leaseId: 'lease-1', refused: 'v#3' })],
      ['put there', changes.putWaiting({ leaseId: 'lease-1', of: 'v', generation: 1, waiting })],
      ['ended', changes.endKept({ leaseId: 'lease-1' })],
      ['forgiven', changes.forgiveKept()],
    ])('are not taken over as they were before something was %s', async (_, change) => {
      await take('lease-1');
      const seen = await kept();
      expect(await write(change)).toBe(true);

      expect(await take('lease-2', seen)).toBe(false);
      expect(await take('lease-2', await kept())).toBe(true);
    });

    it('hold a value that waits until its holder, and no other, has put it elsewhere', async () => {
      await take('lease-1');
      expect(await write(changes.putWaiting({ leaseId: 'lease-2', of: 'v', generation: 1, waiting }))).toBe(false);
      expect(await write(changes.putWaiting({ leaseId: 'lease-1', of: 'v', generation: 1, waiting }))).toBe(true);
      expect(await write(changes.endKept({ leaseId: 'lease-1' }))).toBe(true);
      expect(await kept()).toMatchObject({ of: 'v', generation: 1, waiting, lease: undefined });

      await take('lease-2', await kept());
      await write(changes.endKept({ leaseId: 'lease-2', kept: { of: 'v', generation: 2 } }));
      expect(await kept()).toMatchObject({ of: 'v', generation: 2, waiting: undefined, lease: undefined, fence: 5 });
    });

    it('remember a refused value until an operator forgives it', async () => {
      expect(await write(changes.forgiveKept())).toBe(false);
      await take('lease-1');
      await write(changes.noteRefused({ leaseId: 'lease-1', refused: 'v#3' }));
      await write(changes.endKept({ leaseId: 'lease-1', kept: { of: 'v', generation: 3 } }));
      expect((await kept())?.refused).toBe('v#3');

      expect(await write(changes.forgiveKept())).toBe(true);
      expect((await kept())?.refused).toBeUndefined();
    });

    it('are no slot, and leave the slots alone', async () => {
      const before = await published(subject());
      await take('lease-1');

      expect(await subject().store.read(SLOT, { consistent: true })).toEqual(before);
      const { slots } = await subject().store.list({ connection: BOOKS, limit: 10 });
      expect(slots.map(({ slot }) => slot.subject)).toEqual(['system']);
    });
  });
}
