import { describe, expect, it } from 'vitest';
import { proxiedCalls } from '../../../protocol/proxied-calls.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';
import { intercept } from '../../../simulation/memory-store.ts';

/** A session past `refreshAt`, before a call that slides it. */
async function pastRefreshAt(connection = workforceConnection()) {
  const made = proxiedCalls({ connection });
  const { token } = await made.broker.handOut();
  await made.advance({ ms: token.refreshAt - made.time.now() });
  const { store, said } = made;
  let adoptions = 0;
  intercept(store, 'adopt', (adopt) => {
    adoptions += 1;
    return adopt();
  });
  return {
    ...made,
    first: token,
    /** Failed conditions are billed, so what can be known before is not tried; nor is it anything to warn of. */
    expectNothingTried() {
      expect(adoptions).toBe(0);
      expect(said.warnings).toEqual([]);
    },
  };
}

describe('a token renewed by a proxied answer (C15)', () => {
  it('is the next generation: with the end that the answer gave it, what the login said and the same session', async () => {
    const { call, script, answered, record, broker, advance, first, upstream, said, time } = await pastRefreshAt();
    const sentAt = time.now();
    script.push(() => answered(200, { value: 'slid-token', lifeSeconds: 600 }));
    await call();
    const { token: stored, generation, dueAt, ttlSeconds } = record();

    expect(generation).toBe(2);
    expect(stored?.sessionStartedAt).toBe(first.issuedAt);
    expect((stored?.issuedAt ?? 0) - sentAt).toBeLessThan(50);
    expect(stored?.usableUntil).toBe((stored?.issuedAt ?? 0) + 595_000);
    expect(dueAt).toBe(stored?.refreshAt);
    expect(ttlSeconds).toBe(Math.ceil((stored?.usableUntil ?? 0) / 1_000));
    expect(said.metrics.filter(({ name }) => name === 'Slides')).toHaveLength(1);

    await advance({ seconds: 31 });
    const { token } = await broker.handOut();
    expect(token.value.reveal()).toBe('slid-token');
    expect(token).toMatchObject({ generation: 2, attributes: first.attributes, secretVersion: first.secretVersion });
    expect(upstream.logins).toHaveLength(1);
  });

  it('is told from what was published before it, so that no lost reply is mistaken', async () => {
    const { call, script, answered, record } = await pastRefreshAt();
    const { publicationId } = record().token ?? {};
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(record().token?.publicationId).not.toBe(publicationId);
  });

  it('is dropped a moment before refreshAt, without a look at the store', async () => {
    const made = proxiedCalls();
    const { call, script, answered, advance, time, record, store } = made;
    await call();
    const { token } = record();
    await advance({ seconds: 25 });
    await call();
    await advance({ ms: (token?.refreshAt ?? 0) - time.now() - 20_000 });
    await call();
    await advance({ ms: (token?.refreshAt ?? 0) - time.now() - 1 });
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (...all) => {
      reads += 1;
      return read(...all);
    };
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(record().generation).toBe(1);
    expect(reads).toBe(0);
  });

  it('is dropped where another generation came while the call was on its way', async () => {
    const { call, script, answered, record, first, world, connection, slot, expectNothingTried } =
      await pastRefreshAt();
    script.push(async () => {
      await world.purge({ connection, slot: slot(), caller: 'operator', requestId: 'purge' });
      return answered(200, { value: 'slid-token' });
    });
    await call();

    expect(first.generation).toBe(1);
    expect(record()).toMatchObject({ generation: 2 });
    expect(record().token).toBeUndefined();
    expectNothingTried();
  });

  it('is dropped while somebody else holds the lease', async () => {
    const { call, script, answered, record, table, slot, time, expectNothingTried } = await pastRefreshAt();
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 10_000 } });
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(record()).toMatchObject({ generation: 1, lease: { id: 'another' } });
    expectNothingTried();
  });

  it('is dropped once its session is as old as it may get (C20), and taken up a moment before', async () => {
    const connection = workforceConnection({ maxSessionSeconds: 900 });
    const { call, script, answered, record, first, advance, time } = await pastRefreshAt(connection);
    await advance({ ms: first.issuedAt + 900_000 - 50 - time.now() });
    script.push(() => answered(200, { value: 'in-time' }));
    await call();
    expect(record().generation).toBe(2);

    await advance({ ms: (record().token?.refreshAt ?? 0) - time.now() });
    script.push(() => answered(200, { value: 'too-late' }));
    await call();
    expect(record().generation).toBe(2);
  });

  it('is dropped where it is good for less than minTtlSeconds and the skew of clocks', async () => {
    const { call, script, answered, record, first, expectNothingTried } = await pastRefreshAt();
    script.push(() => answered(200, { value: 'slid-token', lifeSeconds: 64 }));
    await call();

    expect(record().token?.hash).toBe(first.hash);
    expectNothingTried();
  });

  it('is dropped where the key of the slot’s token is gone', async () => {
    const { call, script, answered, record, first, table, slot, expectNothingTried } = await pastRefreshAt();
    script.push(() => {
      const { token } = record();
      if (token !== undefined)
        table.set('spoil', slot(), { ...record(), token: { ...token, dataKey: Buffer.from('x') } });
      return answered(200, { value: 'slid-token' });
    });

    expect(await call()).toBe(200);
    expect(record().token?.hash).toBe(first.hash);
    expectNothingTried();
  });

  it('cannot fail the call by an outage of the store, which an operator hears of', async () => {
    const { call, script, answered, record, store, said } = await pastRefreshAt();
    store.failNext('adopt', 'down');
    script.push(() => answered(200, { value: 'slid-token' }));

    expect(await call()).toBe(200);
    expect(record().generation).toBe(1);
    expect(said.warnings.filter((warning) => /slid token/.test(warning))).toHaveLength(1);
    expect(said.metrics.filter(({ name }) => name === 'Slides')).toEqual([]);
  });

  it('is found by a consistent read to be of the current token, however far others lag', async () => {
    const { call, script, answered, record, store } = await pastRefreshAt();
    script.push(() => {
      const read = store.read.bind(store);
      store.read = async (slot, options) => (options.consistent ? read(slot, options) : undefined);
      return answered(200, { value: 'slid-token' });
    });
    await call();

    expect(record().generation).toBe(2);
  });

  it('is dropped without a word where its item has ended, or there was none in the answer', async () => {
    const { call, script, answered, table, slot, record, expectNothingTried } = await pastRefreshAt();
    await call();
    expect(record().generation).toBe(1);
    script.push(() => {
      table.set('ttl', slot(), undefined);
      return answered(200, { value: 'slid-token' });
    });
    await call();
    expect(table.get(slot())).toBeUndefined();

    expectNothingTried();
  });

  it('counts as no slide where another was quicker', async () => {
    const { call, script, answered, store, said } = await pastRefreshAt();
    intercept(store, 'adopt', async () => false);
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(said.metrics.filter(({ name }) => name === 'Slides')).toEqual([]);
    expect(said.warnings).toEqual([]);
  });

  it('keeps the item for as long as a refusal is to be remembered (invariant 5)', async () => {
    const { call, script, answered, record, table, slot } = await pastRefreshAt();
    const kept = record().ttlSeconds + 2_000_000;
    table.set('spoil', slot(), { ...record(), refusedVersion: 'version-1', ttlSeconds: kept });
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(record()).toMatchObject({ generation: 2, refusedVersion: 'version-1', ttlSeconds: kept });
  });

  it('is not looked for where a connection has no sessions', async () => {
    const { broker, advance, call, script, answered, record, time } = proxiedCalls({
      connection: helpdeskConnection(),
    });
    const { token } = await broker.handOut();
    await advance({ ms: token.refreshAt - time.now() });
    script.push(() => answered(200, { value: 'slid-token' }));
    await call();

    expect(record().token?.hash).toBe(token.hash);
  });
});
