import { describe, expect, it } from 'vitest';
import type { Limits } from '../../functions/core/slot/provider.ts';
import { type ConnectionSettings, helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

/** A connection whose provider has these limits. */
function limited(limits: Limits, settings: ConnectionSettings = {}) {
  const connection = helpdeskConnection(settings);
  return harness({ connection: { ...connection, provider: { ...connection.provider, limits } } });
}

describe('limits.tokens: two logins an hour (Toast)', () => {
  const toast = () => limited({ tokens: { count: 2, perSeconds: 3600 } });

  it('lets the third wait until the first is an hour old, and tells when', async () => {
    const { broker, upstream, advance } = toast();
    await broker.handOut({ subject: '1' });
    await advance({ minutes: 10 });
    await broker.handOut({ subject: '2' });
    const [first, second] = [await broker.refusal({ subject: '3' }), await broker.refusal({ subject: '3' })];
    for (const error of [first, second]) {
      expect(error).toMatchObject({ code: 'login_limited', status: 503, detail: expect.stringContaining('helpdesk') });
      expect(Math.round((error.retryAfterMs ?? 0) / 60_000)).toBe(50);
    }
    expect(upstream.logins).toHaveLength(2);
    await advance({ ms: (second.retryAfterMs ?? 0) + 1 });

    expect((await broker.handOut({ subject: '3' })).source).toBe('login');
  });

  it('goes on handing out what there is', async () => {
    const { broker } = toast();
    for (const subject of ['1', '2']) await broker.handOut({ subject });
    await broker.refusal({ subject: '3' });

    for (const subject of ['1', '2']) expect((await broker.handOut({ subject })).source).toBe('cache');
  });

  it('is counted over all who ask at once', async () => {
    const { broker, upstream } = toast();
    await broker.handOut({ subject: '1' });
    const outcomes = await broker.together(['2', '3', '4', '5'].map((subject) => ({ subject })));

    expect(upstream.logins).toHaveLength(2);
    expect(outcomes.map((each) => ('code' in each ? each.code : 'token')).sort()).toEqual([
      ...['login_limited', 'login_limited', 'login_limited', 'token'],
    ]);
  });

  it('does not count a login that was not sent', async () => {
    const { broker, upstream, advance } = toast();
    upstream.planned.push('unreachable', 'unreachable', 'unreachable');
    for (let n = 0; n < 3; n += 1) {
      expect((await broker.refusal()).code).toBe('upstream_unreachable');
      await advance({ minutes: 2 });
    }

    expect((await broker.handOut()).source).toBe('login');
  });
});

describe('limits.single: a new token ends the old one (Tableau)', () => {
  it('refreshes no token ahead, and logs in once it is too short to hand out', async () => {
    const { broker, upstream, advance, record, time } = limited({ single: true });
    upstream.rules.singleSession = true;
    await broker.handOut();
    const { refreshAt = 0, usableUntil = 0 } = record().token ?? {};
    expect(refreshAt).toBe(usableUntil - 60_000);
    await advance({ ms: refreshAt - 1_000 - time.now() });
    await broker.sweep();
    expect((await broker.handOut()).source).toBe('cache');
    expect(upstream.logins).toHaveLength(1);
    await advance({ seconds: 2 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
  });
});

describe('an upstream that issues the same token until it ends (Marketo)', () => {
  function marketo(limits: Limits, minTtlSeconds: number) {
    const made = limited(limits, { minTtlSeconds });
    Object.assign(made.upstream.rules, { reissues: true, lifeSeconds: 3_600 });
    return made;
  }

  /** Asks every ten seconds for three hours; counts the seconds for which there was no token. */
  async function askForThreeHours({ broker, advance }: ReturnType<typeof marketo>): Promise<number> {
    let without = 0;
    for (let second = 0; second < 3 * 3_600; second += 10) {
      const [outcome] = await broker.together([{}]);
      if (outcome !== undefined && 'code' in outcome) without += 10;
      if (second % 60 === 0) await broker.sweep();
      await advance({ seconds: 10 });
    }
    return without;
  }

  it('is asked once a life, right after the end, where the provider says so', async () => {
    const made = marketo({ reissues: true }, 0);
    const without = await askForThreeHours(made);

    expect(without).toBe(0);
    expect(made.upstream.logins.length).toBeLessThanOrEqual(4);
  });

  it('is asked once in vain where nobody said so; then its token is kept to its end', async () => {
    const made = marketo({}, 60);
    const without = await askForThreeHours(made);

    // Nothing is handed out with less than minTtlSeconds to go.
    expect(without).toBeLessThanOrEqual(3 * 80);
    expect(made.upstream.logins.length).toBeLessThanOrEqual(7);
  });

  it('backs off where it brings one that has ended by the broker’s clock, again and again', async () => {
    const { broker, upstream, advance } = marketo({}, 0);
    // The upstream's clock is an hour behind, and its answers have no `Date`.
    Object.assign(upstream.rules, { says: 'exp', clockOffsetMs: -3_580_000 });
    await broker.handOut();
    for (let second = 0; second < 3_500; second += 10) {
      await broker.together([{}]);
      await advance({ seconds: 10 });
    }

    expect(upstream.logins.length).toBeLessThanOrEqual(11);
  });

  it('ends when it did, whatever a wrong `Date` says of its last seconds', async () => {
    const { broker, upstream, advance, record } = marketo({}, 0);
    Object.assign(upstream.rules, { says: 'exp_and_date', dateOffsetMs: -28_800_000 });
    await broker.handOut();
    const { usableUntil } = record().token ?? {};
    await advance({ seconds: 3_596 });
    await broker.together([{}]);

    expect(upstream.logins).toHaveLength(2);
    expect(record().token?.usableUntil).toBe(usableUntil);
  });

  it('takes one that is too short for no failure: the next is asked for when it has ended', async () => {
    const { broker, advance, record, put } = marketo({}, 60);
    await broker.handOut();
    await advance({ seconds: 3_550 });
    put({ rejectedGeneration: 1 });
    const error = await broker.refusal();

    expect(error).toMatchObject({
      code: 'upstream_token_unusable',
      detail: expect.stringMatching(/the same token again .*`limits\.reissues`/),
    });
    expect(record().failure?.evidence).toMatch(/^the same token again, with \d+ s to go$/);
    expect(error.retryAfterMs).toBeGreaterThan(49_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(52_000);
    expect(record().tries).toBe(0);
    await advance({ ms: error.retryAfterMs ?? 0 });
    expect((await broker.handOut()).source).toBe('login');
  });
});
