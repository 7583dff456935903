import { describe, expect, it } from 'vitest';
import { proxiedCalls } from '../../../protocol/proxied-calls.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

/** A session past `refreshAt`, before a call that slides it. */
async function pastRefreshAt(connection = workforceConnection()) {
  const made = proxiedCalls({ connection });
  const { token } = await made.broker.handOut();
  await made.advance({ ms: token.refreshAt - made.time.now() });
  const adoptions = made.callsOf('adopt');
  return {
    ...made,
    first: token,
    /** Failed conditions are billed, so a slide known to be stale is not written, and no warning is logged. */
    expectNothingTried() {
      expect(adoptions()).toEqual([]);
      expect(made.said.warnings).toEqual([]);
    },
  };
}

describe('adoptSlide (C15)', () => {
  it('takes up the token as the next generation of the same session, with the answer’s end', async () => {
    const { call, slideNext, record, broker, advance, first, upstream, said, time } = await pastRefreshAt();
    const { publicationId } = record().token ?? {};
    const sentAt = time.now();
    slideNext({ lifeSeconds: 600 });
    await call();
    const { token: stored, generation, dueAt, ttlSeconds } = record();

    expect(generation).toBe(2);
    expect(stored?.sessionStartedAt).toBe(first.issuedAt);
    expect((stored?.issuedAt ?? 0) - sentAt).toBeLessThan(50);
    expect(stored?.usableUntil).toBe((stored?.issuedAt ?? 0) + 595_000);
    expect(dueAt).toBe(stored?.refreshAt);
    expect(ttlSeconds).toBe(Math.ceil((stored?.usableUntil ?? 0) / 1_000));
    // A new one, so that no lost reply is mistaken.
    expect(stored?.publicationId).not.toBe(publicationId);
    expect(said.metrics.filter(({ name }) => name === 'SlideLatency')).toHaveLength(1);

    await advance({ seconds: 31 });
    const { token } = await broker.handOut();
    expect(token.value.reveal()).toBe('slid-token');
    expect(token).toMatchObject({ generation: 2, attributes: first.attributes, secretVersion: first.secretVersion });
    expect(upstream.logins).toHaveLength(1);
  });

  it('drops a token that comes a moment before refreshAt, without a look at the store', async () => {
    const { call, slideNext, advance, time, record, callsOf } = proxiedCalls();
    await call();
    const refreshAt = record().token?.refreshAt ?? 0;
    await advance({ ms: refreshAt - time.now() - 20_000 });
    await call();
    await advance({ ms: refreshAt - time.now() - 1 });
    const reads = callsOf('read');
    slideNext();
    await call();

    expect(record().generation).toBe(1);
    expect(reads()).toEqual([]);
  });

  it('drops a token where another generation came while the call was on its way', async () => {
    const { call, script, answered, record, purgeItem, expectNothingTried } = await pastRefreshAt();
    script.push(() => {
      purgeItem();
      return answered(200, { value: 'slid-token' });
    });
    await call();

    expect(record()).toMatchObject({ generation: 2 });
    expect(record().token).toBeUndefined();
    expectNothingTried();
  });

  it('drops a token while somebody else holds the lease', async () => {
    const { call, slideNext, record, heldByAnother, expectNothingTried } = await pastRefreshAt();
    heldByAnother(10_000);
    slideNext();
    await call();

    expect(record()).toMatchObject({ generation: 1, lease: { id: 'another' } });
    expectNothingTried();
  });

  it('drops a token once its session is as old as it may get (C20), and not a moment before', async () => {
    const connection = workforceConnection({ maxSessionSeconds: 900 });
    const { call, slideNext, record, first, advance, time } = await pastRefreshAt(connection);
    await advance({ ms: first.issuedAt + 900_000 - 50 - time.now() });
    slideNext({ value: 'in-time' });
    await call();
    expect(record().generation).toBe(2);
    await advance({ ms: (record().token?.refreshAt ?? 0) - time.now() });
    slideNext({ value: 'too-late' });
    await call();

    expect(record().generation).toBe(2);
  });

  it('drops a token that is good for less than minTtlSeconds and the skew of clocks', async () => {
    const { call, slideNext, record, first, expectNothingTried } = await pastRefreshAt();
    slideNext({ lifeSeconds: 64 });
    await call();

    expect(record().token?.hash).toBe(first.hash);
    expectNothingTried();
  });

  it('drops a token where the key of the slot’s current one is gone', async () => {
    const { call, script, answered, record, first, putToken, expectNothingTried } = await pastRefreshAt();
    script.push(() => {
      putToken({ dataKey: Buffer.from('x') });
      return answered(200, { value: 'slid-token' });
    });

    expect(await call()).toBe(200);
    expect(record().token?.hash).toBe(first.hash);
    expectNothingTried();
  });

  it('drops a token whose item has ended, and does nothing where the answer renewed none', async () => {
    const { call, script, answered, table, slot, removeItem, record, expectNothingTried } = await pastRefreshAt();
    await call();
    expect(record().generation).toBe(1);
    script.push(() => {
      removeItem();
      return answered(200, { value: 'slid-token' });
    });
    await call();

    expect(table.get(slot())).toBeUndefined();
    expectNothingTried();
  });

  it('cannot fail the call by an outage of the store, which operators hear of', async () => {
    const { call, slideNext, record, failNext, said } = await pastRefreshAt();
    failNext('adopt', 'down');
    slideNext();

    expect(await call()).toBe(200);
    expect(record().generation).toBe(1);
    expect(said.warnings.filter((warning) => /slid token/.test(warning))).toHaveLength(1);
    expect(said.metrics.filter(({ name }) => name === 'SlideLatency')).toEqual([]);
  });

  it('finds by a consistent read that the token used is current, however far others lag', async () => {
    const { call, script, answered, record, lag } = await pastRefreshAt();
    script.push(() => {
      lag();
      return answered(200, { value: 'slid-token' });
    });
    await call();

    expect(record().generation).toBe(2);
  });

  it('counts no slide, and warns of nothing, where another was quicker', async () => {
    const { call, slideNext, beforeNext, heldByAnother, record, said } = await pastRefreshAt();
    beforeNext('adopt', () => heldByAnother(10_000));
    slideNext();
    await call();

    expect(record().generation).toBe(1);
    expect(said.metrics.filter(({ name }) => name === 'SlideLatency')).toEqual([]);
    expect(said.warnings).toEqual([]);
  });

  it('keeps the item for as long as a refusal is to be remembered (invariant 5)', async () => {
    const { call, slideNext, record, put } = await pastRefreshAt();
    const kept = { refusedVersion: 'version-1', ttlSeconds: record().ttlSeconds + 2_000_000 };
    put(kept);
    slideNext();
    await call();

    expect(record()).toMatchObject({ generation: 2, ...kept });
  });

  it('takes up no token of a connection without sessions', async () => {
    const { call, slideNext, record, first } = await pastRefreshAt(helpdeskConnection());
    slideNext();
    await call();

    expect(record().token?.hash).toBe(first.hash);
  });
});
