import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness, UNKNOWN_HASH } from './harness.ts';

const codes = (results: readonly unknown[]) =>
  results.map((result) => (result instanceof BrokerError ? result.code : 'handed out'));

describe('callers of one instance that overlap', () => {
  it('share one failed look, with its error and without another attempt', async () => {
    const { broker, upstream } = harness();
    upstream.planned.push('broken');

    expect(codes(await broker.together([{}, {}, {}]))).toEqual(Array(3).fill('upstream_login_ambiguous'));
    expect(upstream.logins).toHaveLength(1);
  });

  it('do not share it where what they report differs', async () => {
    const { broker, upstream, advance } = harness();
    const { token } = await broker.handOut();
    await advance({ minutes: 5 });
    const results = await broker.together([{ rejected: UNKNOWN_HASH }, { rejected: token.hash }]);

    expect(results).toMatchObject([{ token: { generation: 1 } }, { token: { generation: 2 } }]);
    expect(upstream.logins).toHaveLength(2);
  });

  it('look again for themselves where a look begun for another ran out of its time, and theirs is left', async () => {
    const connection = helpdeskConnection({ timeoutSeconds: 1 });
    const { broker, upstream, time, table, slot, record } = harness({ connection });
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 9_000 } });
    const first = broker.start().catch((error: unknown) => error);
    await time.advance(7_900);
    const second = broker.start();

    expect(codes([await time.settle(first)])).toEqual(['refresh_in_progress']);
    expect(await time.settle(second)).toMatchObject({ source: 'login', token: { generation: 1 } });
    expect(upstream.logins).toHaveLength(1);
  });

  it('do so once: a caller waits for two looks at the most', async () => {
    const connection = helpdeskConnection({ timeoutSeconds: 1 });
    const { broker, time, table, slot, record } = harness({ connection });
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
    const first = broker.start().catch((error: unknown) => error);
    await time.advance(7_900);
    const began = time.now();
    const second = await time.settle(broker.start().catch((error: unknown) => error));
    await time.settle(first);

    expect(codes([second])).toEqual(['refresh_in_progress']);
    expect(time.now() - began).toBeLessThan(8_500);
  });

  it('do not where it was their own: nobody waits longer than T + 7 s', async () => {
    const connection = helpdeskConnection({ timeoutSeconds: 1 });
    const { broker, time, table, slot, record } = harness({ connection });
    table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
    const began = time.now();

    expect((await broker.refusal()).code).toBe('refresh_in_progress');
    expect(time.now() - began).toBeLessThan(8_100);
  });
});

describe('what is in memory', () => {
  it('does not hide why there is no other token, where that is no outage', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut();
    await broker.purge();
    upstream.rules.accepted.clear();
    await advance({ seconds: 31 });

    expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
  });

  it('does not hide a fault of the broker', async () => {
    const { broker, instance, advance } = harness();
    await broker.handOut();
    await advance({ seconds: 31 });
    instance(0).store.read = () => Promise.reject(new TypeError('a fault of ours'));

    await expect(broker.handOut()).rejects.toThrow('a fault of ours');
  });

  it('is not handed out at refreshAt any more', async () => {
    const { broker, advance, fleet, time } = harness();
    const { token } = await broker.handOut();
    await advance({ ms: token.refreshAt - time.now() - 1_000 });
    await broker.handOut();
    await advance({ ms: token.refreshAt - time.now() });
    await broker.handOut();

    expect(fleet.asked).toHaveLength(1);
  });
});
