import { describe, expect, it } from 'vitest';
import { changeLogins, type Logins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import { NOW, published, SLOT, type StoreUnderTest } from './store-under-test.ts';

const TTL_SECONDS = NOW / 1000 + 366 * 86_400;

/** The item of a connection's logins (invariants 5, 21 and 22). */
export function describeLogins(subject: () => StoreUnderTest): void {
  const full: Logins = {
    revision: 0,
    secretVersion: 'version-1',
    standing: 'proven',
    refusals: 2,
    probe: { id: 'lease-1', until: NOW },
    notBefore: NOW + 1,
    timedOut: { subject: '88', at: NOW, subjects: 2 },
    failed: new Set(['1 refused a', '2 unknown b']),
    issued: new Set(['3 unknown c']),
    rotatedAt: NOW + 2,
    ttlSeconds: TTL_SECONDS,
  };
  const write = (seen: Logins, next: Partial<Logins>, connection = 'helpdesk') =>
    subject().store.writeLogins(connection, changeLogins(seen, { ...seen, ...next }, NOW));
  const read = (connection = 'helpdesk') => subject().store.logins(connection);

  describe('logins', () => {
    it('are absent at first', async () => {
      expect(await read()).toBeUndefined();
    });

    it('are read as they were written, every field', async () => {
      expect(await write(NO_LOGINS, full)).toBe(true);

      expect(await read()).toEqual({ ...full, revision: 1 });
    });

    it('are written only as they were read, by one of twenty writers at once', async () => {
      const first = await Promise.all(Array.from({ length: 20 }, (_, n) => write(NO_LOGINS, { refusals: n + 1 })));
      const seen = (await read()) ?? NO_LOGINS;
      const second = await Promise.all(Array.from({ length: 20 }, (_, n) => write(seen, { refusals: n + 30 })));

      expect(first.filter(Boolean)).toHaveLength(1);
      expect(second.filter(Boolean)).toHaveLength(1);
      expect(await read()).toMatchObject({ revision: 2 });
    });

    it('lose what is no more: probe, time-outs, and sets that are empty', async () => {
      await write(NO_LOGINS, full);
      await write(
        { ...full, revision: 1 },
        { probe: undefined, timedOut: undefined, failed: new Set(), issued: new Set() },
      );

      expect(await subject().loginsItem('helpdesk')).toEqual({
        pk: { S: 'helpdesk' },
        sk: { S: '!logins' },
        revision: { N: '2' },
        sv: { S: 'version-1' },
        standing: { S: 'proven' },
        refusals: { N: '2' },
        notBefore: { N: String(NOW + 1) },
        rotatedAt: { N: String(NOW + 2) },
        ttl: { N: String(TTL_SECONDS) },
      });
    });

    it('belong to their connection, and leave the slots alone', async () => {
      const before = await published(subject());
      await write(NO_LOGINS, full);
      await write(NO_LOGINS, { secretVersion: 'version-9' }, 'other');

      expect((await read())?.secretVersion).toBe('version-1');
      expect((await read('other'))?.secretVersion).toBe('version-9');
      expect(await subject().store.read(SLOT, { consistent: true })).toEqual(before);
    });

    it('count as absent where they cannot be read, and are mended', async () => {
      const spoilt = { sv: { N: '1' }, standing: { S: 'great' }, failed: { S: '1' }, probeId: { S: 'lease-1' } };
      await subject().put({ pk: { S: 'helpdesk' }, sk: { S: '!logins' }, ...spoilt });

      expect((await read()) ?? NO_LOGINS).toEqual({ ...NO_LOGINS, probe: undefined });
      await write(NO_LOGINS, { secretVersion: 'version-1' });
      expect((await read())?.secretVersion).toBe('version-1');
    });
  });
}
