import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness, UNKNOWN_HASH } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

describe('single flight (invariants 3, 4)', () => {
  it('sends one login when a thousand callers overlap', async () => {
    const { broker, upstream } = harness();
    const results = await broker.together(Array.from({ length: 1_000 }, () => ({})));

    expect(upstream.logins).toHaveLength(1);
    expect(results.filter((result) => result instanceof BrokerError)).toEqual([]);
    const values = results.flatMap((result) => (result instanceof BrokerError ? [] : [result.token.hash]));
    expect(new Set(values).size).toBe(1);
  });

  it('sends one login when a thousand callers overlap over five instances', async () => {
    const { broker, upstream } = harness({ instances: 5 });
    const results = await broker.together(Array.from({ length: 1_000 }, (_, n) => ({ on: n % 5 })));

    expect(upstream.logins).toHaveLength(1);
    expect(results.filter((result) => result instanceof BrokerError)).toEqual([]);
  });

  it('says `login` to the one caller whose request logged in, and `cache` to all others', async () => {
    const { broker } = harness({ instances: 2 });
    const results = await broker.together(Array.from({ length: 20 }, (_, n) => ({ on: n % 2 })));
    const sources = results.map((result) => (result instanceof BrokerError ? result.code : result.source));

    expect(sources.filter((source) => source === 'login')).toHaveLength(1);
    expect(sources.filter((source) => source === 'cache')).toHaveLength(19);
  });

  it('logs in once for each subject, and hands nobody the token of another (invariant 8)', async () => {
    const { broker, upstream } = harness();
    const subjects = ['system', '88', '89'];
    const results = await broker.together(Array.from({ length: 30 }, (_, n) => ({ subject: subjects[n % 3] ?? '' })));

    expect(upstream.logins.map(({ subject }) => subject).sort()).toEqual(['88', '89', 'system']);
    for (const [n, result] of results.entries()) {
      if (result instanceof BrokerError) throw result;
      expect(upstream.find(result.token.hash)?.subject).toBe(subjects[n % 3]);
    }
  });

  it('shares one failed login among all who waited for it', async () => {
    const { broker, upstream } = harness({ instances: 3 });
    upstream.planned.push('broken');
    const results = await broker.together(Array.from({ length: 30 }, (_, n) => ({ on: n % 3 })));

    expect(upstream.logins).toHaveLength(1);
    expect(results.every((result) => result instanceof BrokerError)).toBe(true);
  });
});

describe('hand-outs of a good token', () => {
  it('goes on through outages of upstream and secrets past refreshAt (invariants 11, 12)', async () => {
    const { broker, advance, weather, upstream } = harness({ instances: 2 });
    const { token } = await broker.handOut();
    upstream.goDown();
    weather.secrets.down = 1;
    for (let hour = 1; hour < 24; hour += 1) {
      await advance({ hours: 1 });
      await broker.sweep();
      expect((await broker.handOut({ on: hour % 2 })).token.hash).toBe(token.hash);
    }
    expect(upstream.logins.length).toBeLessThan(2);
  });

  it('does not wait for the upstream while a token is good', async () => {
    const { broker, advance, weather, time, upstream } = harness();
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    weather.upstream.answerMs = { least: 5_000, most: 5_000 };
    const before = time.now();

    expect((await broker.handOut()).token.hash).toBe(token.hash);
    expect(time.now() - before).toBeLessThan(100);
    await advance({ seconds: 10 });
    expect(upstream.logins).toHaveLength(2);
    await advance({ seconds: 31 });
    expect((await broker.handOut()).token.generation).toBe(2);
  });

  it('asks for one refresh however many callers of however many instances see that it is time', async () => {
    const { broker, advance, fleet, upstream } = harness({ instances: 4 });
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.goDown();
    const results = await broker.together(Array.from({ length: 100 }, (_, n) => ({ on: n % 4 })));

    expect(results.every((result) => !(result instanceof BrokerError))).toBe(true);
    expect(fleet.asked).toHaveLength(1);
    expect(fleet.asked[0]).toMatchObject({ trigger: 'reader', subject: 'system' });
  });

  it('asks again after 30 s where the first ask was lost', async () => {
    const { broker, advance, fleet, upstream } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    fleet.planned.push('lost');
    await broker.handOut();
    await advance({ seconds: 20 });
    await broker.handOut();
    expect(fleet.asked).toHaveLength(1);
    await advance({ seconds: 11 });
    await broker.handOut();
    await advance({ seconds: 1 });

    expect(fleet.asked).toHaveLength(2);
    expect(upstream.logins).toHaveLength(2);
  });

  it('asks for no refresh while a lease is live or a back-off is on', async () => {
    const { broker, advance, fleet, weather, upstream } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.planned.push('broken');
    await broker.handOut();
    await advance({ seconds: 45 });
    await broker.handOut();
    expect(fleet.asked).toHaveLength(1);

    weather.upstream.answerMs = { least: 4_000, most: 4_000 };
    await advance({ seconds: 20 });
    await broker.handOut();
    await advance({ seconds: 2 });
    await broker.handOut();
    expect(fleet.asked).toHaveLength(2);
  });

  it('goes on when the store refuses to note the use (invariant 12)', async () => {
    const { broker, advance, instance } = harness();
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    instance(0).store.failNext('recordUse', 'down');
    instance(0).store.failNext('askRefresh', 'down');

    expect((await broker.handOut()).token.hash).toBe(token.hash);
  });
});

describe('refusals before anything is looked at', () => {
  it('hands out nothing of an upstream that ends the old token with every new one', async () => {
    const { broker, upstream, writes } = harness({ connection: helpdeskConnection({ tokensOverlap: false }) });

    expect((await broker.refusal()).code).toBe('handout_disabled');
    expect([upstream.logins, writes]).toEqual([[], []]);
  });

  it('refuses a min_ttl that no fresh token could have', async () => {
    const { broker, upstream, writes } = harness();

    expect((await broker.refusal({ minTtlSeconds: 86_396 })).code).toBe('min_ttl_unsatisfiable');
    expect([upstream.logins, writes]).toEqual([[], []]);
  });
});

describe('min_ttl', () => {
  it('is served from the cache while the token has that long to go', async () => {
    const { broker, advance, upstream } = harness();
    await broker.handOut();
    await advance({ hours: 10 });

    expect((await broker.handOut({ minTtlSeconds: 3_600 })).source).toBe('cache');
    expect(upstream.logins).toHaveLength(1);
  });

  it('never renews a token before its refreshAt', async () => {
    const { broker, advance, upstream } = harness();
    await broker.handOut();
    await advance({ hours: 10 });

    expect((await broker.refusal({ minTtlSeconds: 15 * 3_600 })).code).toBe('min_ttl_unsatisfiable');
    expect(upstream.logins).toHaveLength(1);
    expect((await broker.handOut()).source).toBe('cache');
  });

  it('renews a token past its refreshAt that falls short, while others get the old one', async () => {
    const { broker, advance, upstream, weather } = harness();
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    const [asked, other] = await broker.together([{ minTtlSeconds: 36_000 }, {}]);

    expect(asked).toMatchObject({ source: 'login', token: { generation: 2 } });
    expect(other).toMatchObject({ source: 'cache', token: { hash: token.hash } });
    expect(upstream.logins).toHaveLength(2);
  });

  it('says so once the fresh token falls short as well, after one login', async () => {
    const { broker, upstream } = harness();
    upstream.rules.lifeSeconds = 3_600;

    expect((await broker.refusal({ minTtlSeconds: 7_200 })).code).toBe('min_ttl_unsatisfiable');
    expect((await broker.refusal({ minTtlSeconds: 7_200 })).code).toBe('min_ttl_unsatisfiable');
    expect(upstream.logins).toHaveLength(1);
    expect((await broker.handOut()).source).toBe('cache');
  });
});

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
