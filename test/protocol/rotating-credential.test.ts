import { describe, expect, it } from 'vitest';
import { noteRefused, putWaiting, takeKept } from '../../functions/core/slot/kept.ts';
import { changeLogins, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { booksConnection } from '../simulation/connections.ts';
import { secretOf } from '../simulation/upstream-accounts.ts';
import { harness } from './harness.ts';
import { rotating } from './rotating.ts';

const NO_VALUE = { ciphertext: new Uint8Array(), dataKey: new Uint8Array() };

describe('a credential that rotates (invariant 19)', () => {
  it('is kept with each login and sent the next time, each value once', async () => {
    const { broker, next, sent, kept, grants } = rotating();
    await broker.handOut();
    await next();
    await next();

    expect(sent()).toEqual(['grant-1.0', 'grant-1.1', 'grant-1.2']);
    expect(kept()).toMatchObject({ fields: { refreshToken: 'grant-1.3' }, generation: 3 });
    expect(grants.reused).toEqual([]);
  });

  it('is kept before the token is published', async () => {
    const { broker, beforeNext, kept } = rotating();
    let before: unknown;
    beforeNext('publish', () => {
      before = kept();
    });
    await broker.handOut();

    expect(before).toMatchObject({ fields: { refreshToken: 'grant-1.1' } });
  });

  it('begins again with a new consent, which always wins', async () => {
    const { broker, next, sent, consent, kept, vault, connection } = rotating();
    await broker.handOut();
    consent();
    await next();
    await next();

    expect(sent()).toEqual(['grant-1.0', 'grant-2.0', 'grant-2.1']);
    expect(kept()).toMatchObject({ of: vault.current(connection.secret)?.versionId, generation: 2 });
  });

  it('goes on where the operator changes another field alone', async () => {
    const { broker, next, sent } = rotating();
    await broker.handOut();
    broker.rotateSecret(JSON.stringify({ clientId: 'client', clientSecret: 'new', refreshToken: 'grant-1.0' }));
    await next();

    expect(sent()).toEqual(['grant-1.0', 'grant-1.1']);
  });

  it('waits in the table while Secrets Manager is down, opened for nobody else, and is moved by the next login', async () => {
    const { broker, next, sent, kept, table, weather, ring, said } = rotating();
    weather.kept.writesDown = 1;
    expect((await broker.handOut()).source).toBe('login');
    expect(kept()).toBeUndefined();
    expect(table.kept('books')?.waiting).toBeDefined();
    expect([...ring.values()].map(({ context }) => context)).toContain('["books","kept"]');
    expect(said.warnings).toContain(
      'The next refresh token waits in the table, since Secrets Manager does not take it.',
    );

    weather.kept.writesDown = 0;
    await next();
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1']);
    expect(kept()).toMatchObject({ generation: 2 });
    expect(table.kept('books')?.waiting).toBeUndefined();
  });

  it.each(['purge', 'the end of the item', 'another fingerprint'])(
    'is not lost with %s while it waits',
    async (what) => {
      const made = rotating();
      const { broker, sent, weather, removeItem, advance, time, world, connection } = made;
      weather.kept.writesDown = 1;
      await broker.handOut();
      weather.kept.writesDown = 0;
      await advance({ hours: 25 });
      if (what === 'purge') await broker.purge();
      if (what === 'the end of the item') removeItem();
      if (what !== 'another fingerprint') await broker.handOut();
      else {
        const other = booksConnection({ baseUrl: 'https://new.example.com' });
        const slot = { connection: connection.name, subject: 'system', fingerprint: other.fingerprint };
        const request = { connection: other, slot, caller: 'some-caller', requestId: 'other' };
        await time.settle(world.startTokenInstance('token-other').handOut(request));
      }

      expect(sent()).toEqual(['grant-1.0', 'grant-1.1']);
    },
  );

  it('that neither store takes is lost with an alarm, to the end of the window', async () => {
    const { broker, weather, said, beforeNext, kept, grants, advance } = rotating();
    weather.kept.writesDown = 1;
    // Takes the table away once the login is sent.
    beforeNext('putWaiting', () => {
      weather.store.writesDown = 1;
    });
    await broker.refusal();

    expect(said.metrics.map(({ name }) => name)).toContain('RefreshTokenLost');
    expect(kept()).toBeUndefined();
    Object.assign(weather.store, { writesDown: 0 });
    weather.kept.writesDown = 0;
    await advance({ minutes: 2 });
    expect((await broker.refusal()).code).toBe('reauthorization_required');
    expect(grants.reused).toEqual(['grant-1.0']);
  });

  it('is sent again after an answer that was lost, and survives it where the upstream has a grace period', async () => {
    const { broker, upstream, advance, sent, next } = rotating({ graceSeconds: 60 });
    upstream.planned.push('reset_after');
    await broker.refusal();
    await advance({ seconds: 31 });
    await broker.handOut();
    await next();

    expect(sent()).toEqual(['grant-1.0', 'grant-1.0', 'grant-1.2']);
  });

  it('that was lost on the way needs a person where there is no grace period', async () => {
    const { broker, upstream, advance, sent, consent, said } = rotating();
    upstream.planned.push('reset_after');
    await broker.refusal();
    await advance({ seconds: 31 });
    const refused = await broker.refusal();
    expect([refused.code, refused.status]).toEqual(['reauthorization_required', 502]);
    for (let ask = 0; ask < 5; ask += 1) {
      await advance({ minutes: 1 });
      expect((await broker.refusal()).code).toBe('reauthorization_required');
    }
    expect(sent()).toEqual(['grant-1.0', 'grant-1.0']);
    expect(said.metrics.map(({ name }) => name)).toContain('ReauthorizationRequired');

    consent();
    await advance({ seconds: 10 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it("that was refused is not sent again for another fingerprint, but at an operator's word", async () => {
    const { broker, sent, grants, advance, time, world, connection } = rotating();
    await broker.handOut();
    grants.use('grant-1.0');
    await advance({ hours: 25 });
    expect((await broker.refusal()).code).toBe('reauthorization_required');
    const other = booksConnection({ baseUrl: 'https://new.example.com' });
    const slot = { connection: connection.name, subject: 'system', fingerprint: other.fingerprint };
    const request = { connection: other, slot, caller: 'some-caller', requestId: 'other' };
    const asked = world.startTokenInstance('token-other').handOut(request);
    await expect(time.settle(asked)).rejects.toMatchObject({ code: 'reauthorization_required' });
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1']);

    await broker.purge();
    expect((await broker.refusal()).code).toBe('reauthorization_required');
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1', 'grant-1.1']);
  });

  it('is sent by one slot alone, whatever the fingerprints', async () => {
    const { broker, sent, time, world, connection, grants, vault, table } = rotating();
    world.weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    // With a version that is not proven, the other would wait for its turn.
    const secretVersion = vault.current(connection.secret)?.versionId ?? '';
    table.writeLogins(connection.name, changeLogins(NO_LOGINS, { ...NO_LOGINS, secretVersion, standing: 'proven' }, 0));
    const other = booksConnection({ baseUrl: 'https://new.example.com' });
    const slot = { connection: connection.name, subject: 'system', fingerprint: other.fingerprint };
    const request = { connection: other, slot, caller: 'some-caller', requestId: 'other' };
    const [one, two] = [broker.start(), world.startTokenInstance('token-other').handOut(request)];
    const became = await time.settle(Promise.allSettled([one, two]));

    expect(became.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(JSON.stringify(became.map((each) => (each.status === 'rejected' ? each.reason.code : '')))).toContain(
      'refresh_in_progress',
    );
    expect(sent()).toEqual(['grant-1.0']);
    expect(grants.reused).toEqual([]);
  });

  it.each([
    ['noted as refused', noteRefused({ leaseId: 'late', refused: 'some' })],
    ['kept', putWaiting({ leaseId: 'late', of: 'some', generation: 1, waiting: NO_VALUE })],
  ])('is not sent as it was read where one was %s since, by a holder whose lease is over', async (_, change) => {
    const { broker, sent, table, beforeNext, time } = rotating();
    table.writeKept('books', takeKept({ leaseId: 'late', leaseUntil: time.now(), seen: undefined }));
    beforeNext('takeKept', () => table.writeKept('books', change));

    expect((await broker.refusal()).code).toBe('refresh_in_progress');
    expect(sent()).toEqual([]);
  });

  it('falls back once to the value before where the newest was never used, within the grace period', async () => {
    const { broker, sent, grants, advance, kept } = rotating({ graceSeconds: 200_000 });
    await broker.handOut();
    // A request that had been given up on arrives late, and ends the token that was kept.
    grants.use('grant-1.0');
    await advance({ hours: 25 });

    expect((await broker.handOut()).source).toBe('login');
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1', 'grant-1.0']);
    expect(kept()).toMatchObject({ fields: { refreshToken: 'grant-1.3' }, generation: 2 });
  });

  it('does not fall back where the newest was used with success: the one before is spent for good', async () => {
    const { broker, sent, grants, advance, next, kept, keptVersion, table } = rotating({ graceSeconds: 200_000 });
    await broker.handOut();
    grants.rules.usesWithoutNext = 1;
    await next();
    expect(kept()).toMatchObject({ fields: { refreshToken: 'grant-1.1' }, generation: 1 });
    expect(table.kept('books')?.used).toBe(keptVersion());
    // Another client secret beside the refresh token that all began with changes nothing about that.
    broker.rotateSecret(JSON.stringify({ clientId: 'client', clientSecret: 'new', refreshToken: 'grant-1.0' }));
    // A request that had been given up on arrives late, and ends the grant.
    grants.use('grant-1.0');
    await advance({ hours: 25 });

    expect((await broker.refusal()).code).toBe('reauthorization_required');
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1', 'grant-1.1']);
  });

  it('does not fall back without a grace period, though a clock is behind that of the login before', async () => {
    const { broker, sent, grants, fleet, advance } = rotating();
    await broker.handOut();
    await advance({ seconds: 1 });
    grants.use('grant-1.0');
    await broker.purge();
    for (const { process } of fleet.instances) process.skewMs = -4_000;

    expect((await broker.refusal({ on: 1 })).code).toBe('reauthorization_required');
    expect(sent()).toEqual(['grant-1.0', 'grant-1.1']);
  });

  it('is not sent at all where the kept secret shows an older value than was kept', async () => {
    const { broker, sent, keptVault, advance } = rotating();
    await broker.handOut();
    keptVault.write('token-broker/books/kept', 'nobody', () => ({ versions: {}, labels: {}, revision: 9 }));
    await advance({ hours: 25 });
    const refused = await broker.refusal();

    expect(refused.code).toBe('secret_unavailable');
    expect(refused.detail).toContain('does not hold the refresh token that was kept last');
    expect(sent()).toEqual(['grant-1.0']);
  });

  it('is warned of where tokens live so short that the kept secret cannot take each', async () => {
    const { broker, upstream, said } = rotating();
    Object.assign(upstream.rules, { says: 'fixed', lifeSeconds: 600 });
    await broker.handOut();

    expect(said.warnings).toEqual([expect.stringContaining('lives for less than 15 minutes')]);
  });

  it('is not sent where there is too little time left to keep the next', async () => {
    const { broker, weather, sent } = rotating({ settings: { timeoutSeconds: 1 } });
    weather.latency.least = 1_500;
    weather.latency.most = 1_500;
    await broker.refusal();

    expect(sent()).toEqual([]);
  });

  describe('that lapses unused', () => {
    /** A broker whose refresh token lapses after 30 days, with the schedule for so many days. */
    function lapsing() {
      const connection = booksConnection({ maxTokenAgeSeconds: 3_600 });
      const rotates = { graceSeconds: 0, lapsesAfterSeconds: 30 * 86_400 };
      const secretFields = { ...connection.provider.secretFields, refreshToken: { rotates } };
      const made = harness({ connection: { ...connection, provider: { ...connection.provider, secretFields } } });
      const { advance, broker, table, slot } = made;
      const sweepFor = async (days: number) => {
        for (let hour = 0; hour < days * 24; hour += 6) {
          await broker.sweep();
          await advance({ hours: 6 });
          expect(table.expire(slot())).toBe(false);
        }
      };
      return { ...made, sweepFor };
    }

    it('is used by the schedule at half that time, although nobody asks', async () => {
      const { broker, record, ledger, sweepFor } = lapsing();
      await broker.handOut();
      await sweepFor(40);

      expect(ledger).toHaveLength(3);
      expect(record().dueAt).toBeDefined();
    });

    it('is used by the schedule although nobody has ever asked, and not more often for it', async () => {
      const { ledger, sweepFor, broker } = lapsing();
      await sweepFor(40);

      expect(ledger.map(({ refreshToken }) => refreshToken)).toEqual(['grant-1.0', 'grant-1.1', 'grant-1.2']);
      expect((await broker.handOut()).source).toBe('login');
    });

    it('is used by the schedule within the hour after a purge', async () => {
      const { broker, ledger, sweepFor } = lapsing();
      await broker.handOut();
      await broker.purge();
      await sweepFor(1);

      expect(ledger).toHaveLength(2);
      await sweepFor(39);
      expect(ledger).toHaveLength(4);
    });

    it('is not sent again by the schedule once it was refused, until a person has consented', async () => {
      const { broker, ledger, sweepFor, upstream } = lapsing();
      upstream.grants?.use('grant-1.0');
      await sweepFor(2);
      expect(ledger.map(({ outcome }) => outcome)).toEqual(['reauthorization_required']);
      broker.rotateSecret(secretOf(upstream.grants?.consent() ?? ''));
      await sweepFor(2);

      expect(ledger.map(({ refreshToken }) => refreshToken)).toEqual(['grant-1.0', 'grant-2.0']);
    });

    it('waits for a secret without a value, at a look each time that it is the hour', async () => {
      const { ledger, sweepFor, weather, said } = lapsing();
      weather.secrets.down = 1;
      await sweepFor(2);
      expect(ledger).toEqual([]);
      expect(said.warnings.length).toBeLessThanOrEqual(8);
      weather.secrets.down = 0;
      await sweepFor(1);

      expect(ledger).toHaveLength(1);
    });
  });
});
