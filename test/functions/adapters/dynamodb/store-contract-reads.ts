import { describe, expect, it } from 'vitest';
import { changeLogins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import { EMPTY_RECORD } from '../../../../functions/core/slot/record.ts';
import type { Slot } from '../../../../functions/core/slot/slot.ts';
import { leased, NOW, published, recordOf, SLOT, type StoreUnderTest, sealedToken } from './store-under-test.ts';

function staff(subject: string, connection = 'helpdesk'): Slot {
  return { connection, subject, fingerprint: 'f00d' };
}

/** Tests the reads: one slot, a connection's slots, the due slots. */
export function describeReads(subject: () => StoreUnderTest): void {
  describe('read', () => {
    it('finds nothing where there is nothing', async () => {
      expect(await subject().store.read(SLOT, { consistent: true })).toBeUndefined();
      expect(await subject().store.read(SLOT, { consistent: false })).toBeUndefined();
    });

    it('keeps connections, subjects and fingerprints apart (invariant 8)', async () => {
      await published(subject());
      const others = [staff('88'), { ...SLOT, connection: 'other' }, { ...SLOT, fingerprint: 'beef' }];

      for (const slot of others) expect(await subject().store.read(slot, { consistent: true })).toBeUndefined();
    });

    it('gives back the bytes that were published', async () => {
      const token = sealedToken({ ciphertext: Buffer.alloc(2_000, 7), dataKey: Uint8Array.of(0, 255, 128) });
      await published(subject(), { token });
      const read = await recordOf(subject());

      expect(Buffer.from(read.token?.ciphertext ?? []).equals(Buffer.alloc(2_000, 7))).toBe(true);
      expect([...(read.token?.dataKey ?? [])]).toEqual([0, 255, 128]);
    });

    const tokenAttributes = [
      'ct',
      'dk',
      'issuedAt',
      'usableUntil',
      'refreshAt',
      'sessionStartedAt',
      'sv',
      'tokenHash',
      'pubId',
    ];

    it.each(tokenAttributes)('takes a token whose %s is missing or of another type for no token', async (name) => {
      await published(subject());
      const { [name]: _, ...rest } = (await subject().item(SLOT)) ?? {};

      for (const spoilt of [rest, { ...rest, [name]: { BOOL: true } }, { ...rest, [name]: { L: [] } }]) {
        await subject().put(spoilt);
        expect((await recordOf(subject())).token).toBeUndefined();
        expect((await recordOf(subject())).generation).toBe(1);
      }
    });

    it('takes an unknown failure code for `internal`, and a failure without its time for one long ago', async () => {
      await subject().put({ pk: { S: 'helpdesk' }, sk: { S: 'system#f00d' }, failCode: { S: 'constructor' } });

      expect((await recordOf(subject())).failure).toEqual({ code: 'internal', at: 0 });
    });

    it('reads an item of nothing but nonsense as an empty one', async () => {
      const names = ['gen', 'fence', 'notBefore', 'tries', 'failCode', 'failedAt', 'badSv', 'rejectedGen', 'ttl'];
      const others = ['leaseId', 'leaseUntil', 'begunBy', 'lastHandedOutAt', 'refreshAskedAt', ...tokenAttributes];
      const nonsense = Object.fromEntries([...names, ...others].map((name) => [name, { M: { x: { NULL: true } } }]));
      await subject().put({ pk: { S: 'helpdesk' }, sk: { S: 'system#f00d' }, ...nonsense });

      expect(await recordOf(subject())).toEqual(EMPTY_RECORD);
    });

    it('takes a lease without a readable end for a lapsed one', async () => {
      await leased(subject());
      await subject().put({ ...(await subject().item(SLOT)), leaseUntil: { S: 'soon' } });

      expect((await recordOf(subject())).lease).toEqual({ id: 'lease-1', until: 0 });
    });
  });

  describe('list', () => {
    it('gives the slots of one connection by subject, fingerprint by fingerprint, and no logins', async () => {
      const slots = [staff('12'), { ...staff('12'), fingerprint: 'beef' }, SLOT, staff('88')];
      for (const slot of [...slots, staff('7', 'other')]) await published(subject(), { slot });
      await subject().store.writeLogins('helpdesk', changeLogins(NO_LOGINS, { ...NO_LOGINS, secretVersion: 'v1' }, 0));
      const listed = await subject().store.list({ connection: 'helpdesk', limit: 10 });

      const order = listed.slots.map(({ slot }) => `${slot.subject} ${slot.fingerprint}`);
      expect(order).toEqual(['12 beef', '12 f00d', '88 f00d', 'system f00d']);
      expect(listed.slots[0]?.record).toEqual(await recordOf(subject(), listed.slots[0]?.slot));
      expect(listed).not.toHaveProperty('next');
    });

    it('gives every slot once, page by page, and no page for the sake of it', async () => {
      for (const n of ['1', '2', '3', '4']) await published(subject(), { slot: staff(n) });
      const first = await subject().store.list({ connection: 'helpdesk', limit: 2 });
      const second = await subject().store.list({ connection: 'helpdesk', limit: 2, after: first.next ?? '' });

      expect([first, second].map((page) => page.slots.map(({ slot }) => slot.subject))).toEqual([
        ['1', '2'],
        ['3', '4'],
      ]);
      expect(first.next).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(second).not.toHaveProperty('next');
    });

    it('passes over items that are no slots, however many there are', async () => {
      for (const n of ['1', '2']) await published(subject(), { slot: staff(n) });
      for (const n of [0, 1, 2, 3, 4]) await subject().put({ pk: { S: 'helpdesk' }, sk: { S: `1a-${n}` } });
      const first = await subject().store.list({ connection: 'helpdesk', limit: 1 });

      expect(first.slots.map(({ slot }) => slot.subject)).toEqual(['1']);
      const second = await subject().store.list({ connection: 'helpdesk', limit: 1, after: first.next ?? '' });
      expect(second.slots.map(({ slot }) => slot.subject)).toEqual(['2']);
    });

    it.each([
      '',
      'not base64!',
      Buffer.from('!logins').toString('base64url'),
      Buffer.from('1#').toString('base64url'),
      Buffer.from('1#2#3').toString('base64url'),
      Buffer.from('1#f00').toString('base64'),
      Buffer.from([0x31, 0x23, 0xff]).toString('base64url'),
    ])('refuses %j as a page', async (after) => {
      await expect(subject().store.list({ connection: 'helpdesk', limit: 1, after })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });

    it('lists nothing of a connection without slots', async () => {
      expect(await subject().store.list({ connection: 'nobody', limit: 5 })).toEqual({ slots: [] });
    });
  });

  describe('due', () => {
    const subjects = Array.from({ length: 24 }, (_, n) => String(n + 1));

    it('gives what is due of every connection, longest overdue first, and nothing before its time', async () => {
      for (const n of subjects) {
        await published(subject(), { slot: staff(n, Number(n) % 2 ? 'helpdesk' : 'other'), dueAt: NOW - Number(n) });
      }
      await published(subject(), { slot: staff('99'), dueAt: NOW + 1 });
      await leased(subject(), { slot: staff('100') });
      const due = await subject().store.due({ now: NOW, limit: 100 });

      expect(due.map(({ slot }) => slot.subject)).toEqual([...subjects].reverse());
      expect(due[0]).toEqual({ slot: staff('24', 'other'), dueAt: NOW - 24 });
      expect(await subject().store.due({ now: NOW - 24, limit: 100 })).toHaveLength(1);
    });

    it('gives the longest overdue where there are more than asked for', async () => {
      for (const n of subjects) await published(subject(), { slot: staff(n), dueAt: NOW - Number(n) });
      const due = await subject().store.due({ now: NOW, limit: 5 });

      expect(due.map(({ slot }) => slot.subject)).toEqual(['24', '23', '22', '21', '20']);
      expect(await subject().store.due({ now: NOW, limit: 0 })).toEqual([]);
    });

    it('spreads slots over all four shards', async () => {
      for (const n of subjects) await published(subject(), { slot: staff(n) });
      const shards = await Promise.all(subjects.map(async (n) => (await subject().item(staff(n)))?.['shard']?.N));

      expect([...new Set(shards)].sort()).toEqual(['0', '1', '2', '3']);
    });

    it('passes over items that are no slots, however many are due before', async () => {
      await published(subject(), { dueAt: NOW });
      const shard = (await subject().item(SLOT))?.['shard'] ?? { N: '0' };
      for (const n of [1, 2, 3]) {
        await subject().put({ pk: { S: 'helpdesk' }, sk: { S: `odd-${n}` }, shard, dueAt: { N: String(n) } });
      }

      expect(await subject().store.due({ now: NOW, limit: 1 })).toEqual([{ slot: SLOT, dueAt: NOW }]);
    });
  });
}
