import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness, UNKNOWN_HASH } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const codeOf = (result: unknown) => (result instanceof BrokerError ? result.code : 'handed out');
const manyOf = (count: number, instances: number) => Array.from({ length: count }, (_, n) => ({ on: n % instances }));

describe('createHandOut', () => {
  it('sends one login when a thousand callers of five instances overlap (invariants 3, 4)', async () => {
    const { broker, upstream } = harness({ instances: 5 });
    const results = await broker.together(manyOf(1_000, 5));
    const handedOut = results.flatMap((result) => (result instanceof BrokerError ? [] : [result]));

    expect(upstream.logins).toHaveLength(1);
    expect(handedOut).toHaveLength(1_000);
    expect(new Set(handedOut.map(({ token }) => token.hash)).size).toBe(1);
    expect(handedOut.filter(({ source }) => source === 'login')).toHaveLength(1);
    expect(handedOut.filter(({ source }) => source === 'cache')).toHaveLength(999);
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

  it.each([1, 3])('shares one failed login among all who waited for it on %i instances', async (instances) => {
    const { broker, upstream } = harness({ instances });
    upstream.planned.push('broken');
    const codes = (await broker.together(manyOf(30, instances))).map(codeOf);

    expect(upstream.logins).toHaveLength(1);
    if (instances === 1) expect(new Set(codes)).toEqual(new Set(['upstream_login_ambiguous']));
    expect(codes).not.toContain('handed out');
  });

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

  it('hands out nothing of an upstream that ends the old token with every new one (C18)', async () => {
    const { broker, upstream, writes } = harness({ connection: helpdeskConnection({ tokensOverlap: false }) });

    expect(await broker.refusal()).toMatchObject({
      code: 'handout_disabled',
      detail: expect.stringContaining('/proxy/helpdesk'),
    });
    expect([upstream.logins, writes]).toEqual([[], []]);
  });
});

describe('createHandOut, with min_ttl', () => {
  it('refuses, and looks at nothing, where no fresh token could have that long to go', async () => {
    const { broker, upstream, writes } = harness();

    expect(await broker.refusal({ minTtlSeconds: 86_396 })).toMatchObject({
      code: 'min_ttl_unsatisfiable',
      detail: expect.stringMatching(/helpdesk .* 86395 s/),
    });
    expect([upstream.logins, writes]).toEqual([[], []]);
  });

  it('never renews a token before its refreshAt', async () => {
    const { broker, advance, upstream } = harness();
    await broker.handOut();
    await advance({ hours: 10 });

    expect((await broker.handOut({ minTtlSeconds: 3_600 })).source).toBe('cache');
    expect((await broker.refusal({ minTtlSeconds: 15 * 3_600 })).code).toBe('min_ttl_unsatisfiable');
    expect((await broker.handOut()).source).toBe('cache');
    expect(upstream.logins).toHaveLength(1);
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

  it.each([0.8, 0.000001])(
    'sends one login where the fresh token falls short too, refreshed at %d',
    async (refreshAfter) => {
      const { broker, upstream } = harness({ connection: helpdeskConnection({ refreshAfter }) });
      upstream.rules.lifeSeconds = 3_600;

      expect((await broker.refusal({ minTtlSeconds: 7_200 })).code).toBe('min_ttl_unsatisfiable');
      expect(upstream.logins).toHaveLength(1);
      expect((await broker.handOut()).source).toBe('cache');
    },
  );
});

describe('createHandOut, for callers of one instance that overlap', () => {
  const connection = helpdeskConnection({ timeoutSeconds: 1 });

  it('shares no look among callers whose reports differ', async () => {
    const { broker, upstream, advance } = harness();
    const { token } = await broker.handOut();
    await advance({ minutes: 5 });
    const results = await broker.together([{ rejected: UNKNOWN_HASH }, { rejected: token.hash }]);

    expect(results).toMatchObject([{ token: { generation: 1 } }, { token: { generation: 2 } }]);
    expect(upstream.logins).toHaveLength(2);
  });

  it('looks once more for a caller whose time is left where the shared look ran out of its own', async () => {
    const { broker, upstream, time, heldByAnother } = harness({ connection });
    heldByAnother(9_000);
    const first = broker.start().catch(codeOf);
    await time.advance(7_900);
    const second = broker.start();

    expect(await time.settle(first)).toBe('refresh_in_progress');
    expect(await time.settle(second)).toMatchObject({ source: 'login', token: { generation: 1 } });
    expect(upstream.logins).toHaveLength(1);
  });

  it('looks once more at the most, and not where the look was the caller’s own', async () => {
    const { broker, time, heldByAnother } = harness({ connection });
    heldByAnother(60_000);
    const ended = async (asked: Promise<unknown>) => [await asked.catch(codeOf), time.now()] as const;
    const [ownFrom, own] = [time.now(), ended(broker.start())];
    await time.advance(7_900);
    const [sharedFrom, shared] = [time.now(), ended(broker.start())];
    const [[ownCode, ownUntil], [sharedCode, sharedUntil]] = await time.settle(Promise.all([own, shared]));

    expect([ownCode, sharedCode]).toEqual(['refresh_in_progress', 'refresh_in_progress']);
    expect(ownUntil - ownFrom).toBeLessThan(8_100);
    expect(sharedUntil - sharedFrom).toBeLessThan(8_500);
  });
});
