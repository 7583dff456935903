import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

describe('an outage of a port of mint', () => {
  it.each([
    ['secrets', 'secret_unavailable'],
    ['keys', 'kms_unavailable'],
  ] as const)('sends nothing without %s, and is over for the next attempt soon after', async (port, code) => {
    const { broker, weather, upstream, advance, record } = harness();
    weather[port].down = 1;
    const error = await broker.refusal();

    expect(error.code).toBe(code);
    expect(error.retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(record()).toMatchObject({ failure: { code }, tries: 1 });
    expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: code });
    weather[port].down = 0;
    await advance({ ms: error.retryAfterMs ?? 0 });
    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(1);
  });

  it('does not claim over and over from a store that refuses writes and answers reads', async () => {
    const { broker, weather, callsOf } = harness();
    const claims = callsOf('acquire');
    weather.store.writesDown = 1;

    expect((await broker.refusal()).code).toBe('store_unavailable');
    expect(claims().length).toBeLessThanOrEqual(3);
  });
});

describe('an answer of the upstream', () => {
  it.each([
    ['unreachable', 'upstream_unreachable', 500, 1_000],
    ['throttled', 'upstream_throttled', 500, 1_000],
    ['unavailable', 'upstream_unavailable', 500, 1_000],
    ['lost', 'upstream_timeout', 30_000, 30_000],
    ['reset_after', 'upstream_outcome_unknown', 30_000, 30_000],
    ['invalid', 'upstream_invalid_response', 30_000, 30_000],
    ['broken', 'upstream_login_ambiguous', 60_000, 60_000],
  ] as const)(
    'fails the attempt where it is %s: with `%s`, once, with its back-off',
    async (fault, code, least, most) => {
      const { broker, upstream } = harness();
      upstream.planned.push(fault);
      const error = await broker.refusal();

      expect(error.code).toBe(code);
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(least);
      expect(error.retryAfterMs).toBeLessThanOrEqual(most);
      expect(upstream.logins).toHaveLength(1);
      expect(await broker.refusal()).toMatchObject({ code: 'cooldown', causeCode: code });
      expect(upstream.logins).toHaveLength(1);
    },
  );

  it('with a Retry-After is left alone for that long', async () => {
    const { broker, upstream, weather, advance } = harness();
    weather.upstream.retryAfterMs = 120_000;
    upstream.planned.push('throttled');
    expect((await broker.refusal()).retryAfterMs).toBe(120_000);
    await advance({ seconds: 119 });
    expect((await broker.refusal()).code).toBe('cooldown');
    await advance({ seconds: 1 });

    expect((await broker.handOut()).source).toBe('login');
  });

  it('is waited for during timeoutSeconds', async () => {
    const { broker, ledger, upstream } = harness({ connection: helpdeskConnection({ timeoutSeconds: 12 }) });
    upstream.planned.push('lost');
    await broker.refusal();

    expect(ledger[0]?.timeoutMs).toBe(12_000);
    expect((ledger[0]?.endedAt ?? 0) - (ledger[0]?.at ?? 0)).toBe(12_000);
  });

  it('that takes 11 s gives 50 callers of two instances its token by one login', async () => {
    const connection = helpdeskConnection({ timeoutSeconds: 12 });
    const { broker, upstream, weather } = harness({ connection, instances: 2 });
    weather.upstream.answerMs = { least: 11_000, most: 11_000 };
    const results = await broker.together(Array.from({ length: 50 }, (_, n) => ({ on: n % 2 })));

    expect(upstream.logins).toHaveLength(1);
    expect(results.filter((result) => result instanceof BrokerError)).toEqual([]);
  });

  it('is waited for less long where getting ready took long, so that what came can be written', async () => {
    const { broker, weather, ledger, writes, time } = harness();
    weather.latency.least = 1_000;
    weather.latency.most = 1_000;
    const asked = broker.start().catch(() => 'gone');
    await time.settle(asked);
    const acquiredAt = writes.find(({ operation }) => operation === 'acquire')?.at ?? 0;

    for (const { at, timeoutMs } of ledger) expect(at + timeoutMs).toBeLessThanOrEqual(acquiredAt + 11_000);
    expect(ledger).toHaveLength(1);
    expect(ledger[0]?.timeoutMs).toBeLessThan(6_000 + 1);
  });

  it.each([
    [600_000, 0],
    [-600_000, 600_000],
    // Behind by the whole life and more: by the broker's clock it has ended, so it is the server's that counts.
    [-90_000_000, 0],
    [90_000_000, 0],
  ])('is understood though its clock is %i ms off', async (offsetMs, earlierMs) => {
    const { broker, upstream, time } = harness();
    upstream.rules.clockOffsetMs = offsetMs;
    const { token } = await broker.handOut();

    expect(Math.abs(token.expiresAt - time.now() - 86_400_000 + earlierMs)).toBeLessThan(1_100);
  });

  it('without an end of its token gives it the broker’s maximum age (invariant 2, H13)', async () => {
    const { broker, upstream, advance } = harness({ connection: helpdeskConnection({ maxTokenAgeSeconds: 3_600 }) });
    upstream.rules.says = 'nothing';
    const { token } = await broker.handOut();
    expect(token.expiresAt - token.issuedAt).toBe(3_600_000);
    await advance({ ms: 3_600_000 - 5_000 - 60_000 });

    expect((await broker.handOut()).token.hash).not.toBe(token.hash);
  });

  it('with an absurd end of its token has that capped as well (invariant 2, H13)', async () => {
    const { broker, upstream } = harness({ connection: helpdeskConnection({ maxTokenAgeSeconds: 3_600 }) });
    upstream.rules.lifeSeconds = 10 * 365 * 86_400;
    const { token } = await broker.handOut();

    expect(token.expiresAt - token.issuedAt).toBe(3_600_000);
  });
});
