import { describe, expect, it } from 'vitest';
import { workforceConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

async function withSession() {
  const made = harness({ connection: workforceConnection() });
  const { token } = await made.broker.handOut();
  return { ...made, first: token };
}

describe('sliding a session (C15, C16, C19, C20)', () => {
  it('renews a session in use past refreshAt without a login', async () => {
    const { broker, upstream, advance, first, record } = await withSession();
    await advance({ ms: first.refreshAt - first.issuedAt + 1_000 });
    await broker.sweep();
    const { token, source } = await broker.handOut();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([1, 1]);
    expect(source).toBe('cache');
    expect(token.generation).toBe(2);
    expect(token.hash).not.toBe(first.hash);
    expect(record().token?.sessionStartedAt).toBe(first.issuedAt);
    expect(token).toMatchObject({ attributes: first.attributes, secretVersion: first.secretVersion });
  });

  it('is told as `slide` to the caller who had it done', async () => {
    const { broker, advance, upstream } = await withSession();
    await advance({ minutes: 12 });

    expect((await broker.handOut({ minTtlSeconds: 900 })).source).toBe('slide');
    expect(upstream.logins).toHaveLength(1);
  });

  it('ends at maxSessionSeconds, when the slot logs in afresh', async () => {
    const { broker, upstream, advance, record } = await withSession();
    for (let minutes = 0; minutes < 13 * 60; minutes += 5) {
      await advance({ minutes: 5 });
      await broker.handOut();
      await broker.sweep();
    }

    expect(upstream.logins).toHaveLength(2);
    const [, second] = upstream.logins;
    const age = (second?.at ?? 0) - (upstream.logins[0]?.at ?? 0);
    expect(age).toBeGreaterThanOrEqual(43_200_000);
    expect(age).toBeLessThan(43_200_000 + 1_200_000);
    expect(record().token?.sessionStartedAt).toBeGreaterThanOrEqual(second?.at ?? 0);
    expect(upstream.slides.length).toBeGreaterThan(50);
  });

  it('is followed by one login under the same lease after a 401', async () => {
    const { broker, upstream, advance, writes } = await withSession();
    await advance({ minutes: 11 });
    upstream.revoke();
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 1]);
    expect(writes.filter(({ operation }) => operation === 'acquire')).toHaveLength(2);
    expect((await broker.handOut()).token.generation).toBe(2);
  });

  it('is not tried again after a 401, even where the login then failed', async () => {
    const { broker, upstream, advance, record } = await withSession();
    await advance({ minutes: 11 });
    upstream.revoke();
    upstream.planned.push('none', 'broken');
    await broker.sweep();
    expect(record()).toMatchObject({ generation: 1, rejectedGeneration: 1 });
    await advance({ minutes: 2 });
    await broker.sweep();

    expect(upstream.slides).toHaveLength(1);
    expect(record().generation).toBe(2);
  });

  it('is followed by one login under the same lease where the answer has no usable new token', async () => {
    const { broker, upstream, advance, writes, said } = await withSession();
    await advance({ minutes: 11 });
    upstream.planned.push('no_new_token');
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 1]);
    expect(writes.filter(({ operation }) => operation === 'acquire')).toHaveLength(2);
    expect((await broker.handOut()).token.generation).toBe(2);
    expect(said.warnings).toContain('A renewal brought no token; a login follows.');
  });

  it('keeps the old token where neither the answer nor the login after it brings a new one', async () => {
    const { broker, upstream, advance, first, record } = await withSession();
    await advance({ minutes: 11 });
    upstream.planned.push('no_new_token', 'broken');
    await broker.sweep();

    expect((await broker.handOut()).token).toMatchObject({ hash: first.hash, expiresAt: first.expiresAt });
    expect(record()).toMatchObject({ tries: 1, renewalTries: 1, failure: { code: 'upstream_login_ambiguous' } });
  });

  it('is not followed by a login while the logins back off', async () => {
    const { broker, upstream, advance, time, put } = await withSession();
    await advance({ minutes: 11 });
    put({ notBefore: time.now() + 600_000, tries: 4 });
    upstream.planned.push('no_new_token');
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([1, 1]);
  });

  it('is tried again after a time-out once the back-off is over, while the old token serves', async () => {
    const { broker, upstream, advance, first } = await withSession();
    await advance({ minutes: 11 });
    upstream.planned.push('lost');
    await broker.sweep();
    await advance({ seconds: 20 });
    await broker.sweep();
    expect((await broker.handOut()).token.hash).toBe(first.hash);
    expect(upstream.slides).toHaveLength(1);
    await advance({ seconds: 20 });
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([1, 2]);
  });

  it('never begins with a token that a caller reported dead', async () => {
    const { broker, upstream, advance, first } = await withSession();
    await advance({ minutes: 11 });
    await broker.handOut({ rejected: first.hash });

    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 0]);
  });

  it('goes on through an outage of the secrets', async () => {
    const { broker, upstream, advance, weather } = await withSession();
    weather.secrets.down = 1;
    await advance({ minutes: 11 });
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([1, 1]);
  });

  it('does not happen where the upstream cannot slide', async () => {
    const { broker, upstream, advance } = harness({ connection: workforceConnection({ settings: {} }) });
    await broker.handOut();
    await advance({ minutes: 11 });
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 0]);
  });

  it('does not happen with an expired token', async () => {
    const { broker, upstream, advance } = await withSession();
    await advance({ minutes: 21 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.slides).toHaveLength(0);
  });

  it('leaves a refused version refused: it proves nothing about the credential (invariant 5)', async () => {
    const { broker, upstream, advance, record } = await withSession();
    await advance({ minutes: 11 });
    broker.rotateSecret('wrong');
    // After an answer without a new token (C16) comes a login: refused. The session itself lives on.
    upstream.planned.push('no_new_token');
    await broker.sweep();
    expect(record().refusedVersion).toBeDefined();
    await advance({ minutes: 1 });
    await broker.handOut();
    await advance({ seconds: 5 });
    // The session ends: only a login could bring the next token.
    upstream.revoke();
    await advance({ minutes: 30 });
    await broker.refusal();

    expect(upstream.logins.filter(({ credential }) => credential === 'wrong')).toHaveLength(1);
  });
});

describe('a slide that fails (invariant 23)', () => {
  /** Asks every ten seconds and sweeps every minute for three hours; gives the calls that had no token. */
  async function failuresIn({ broker, advance }: Awaited<ReturnType<typeof withSession>>): Promise<number> {
    let failures = 0;
    for (let second = 0; second < 10_800; second += 10) {
      await advance({ seconds: 10 });
      if (second % 60 === 0) await broker.sweep();
      const [outcome] = await broker.together([{}]);
      if (outcome instanceof Error) failures += 1;
    }
    return failures;
  }

  it.each(['broken', 'blocked', 'throttled', 'unavailable', 'invalid', 'lost', 'unreachable', 'no_new_token'] as const)(
    'leaves no caller without a token while logins work: %s',
    async (fault) => {
      const made = await withSession();
      made.weather.upstream.slides[fault] = 1;
      made.weather.upstream.retryAfterMs = 3_600_000;

      expect(await failuresIn(made)).toBe(0);
      // One login a life, shortly before its end; one a refresh where every slide is followed by one.
      const lives = fault === 'no_new_token' ? 19 : 11;
      expect(made.upstream.logins.length).toBeLessThanOrEqual(lives);
    },
  );

  it('leaves no caller without a token where lives are shorter than a back-off', async () => {
    const connection = workforceConnection({ lifetimeSeconds: 15, minTtlSeconds: 0, memorySeconds: 0 });
    const { broker, weather, advance } = harness({ connection });
    weather.upstream.slides.broken = 1;

    for (let second = 0; second < 300; second += 1) {
      await advance({ seconds: 1 });
      await broker.handOut();
    }
  });

  it('holds back no login when its token ends, and makes no caller wait for its own back-off', async () => {
    const { broker, upstream, advance, weather, record, time } = await withSession();
    weather.upstream.slides.throttled = 1;
    weather.upstream.retryAfterMs = 3_600_000;
    await advance({ minutes: 11 });
    await broker.sweep();
    expect(record().renewalNotBefore).toBeGreaterThan(time.now() + 3_500_000);
    expect(record()).toMatchObject({ notBefore: 0, tries: 0, renewalFailure: { code: 'upstream_throttled' } });
    await advance({ minutes: 9 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.slides).toHaveLength(1);
  });

  it('is followed by a login ahead of the end of its token', async () => {
    const { broker, upstream, advance, weather, first } = await withSession();
    weather.upstream.slides.blocked = 1;
    for (let minute = 0; minute < 19; minute += 1) {
      await advance({ minutes: 1 });
      await broker.sweep();
    }

    expect(upstream.logins).toHaveLength(2);
    const lastUseAt = first.expiresAt - 65_000;
    expect(upstream.logins[1]?.at).toBeLessThan(lastUseAt);
    expect(upstream.logins[1]?.at).toBeGreaterThanOrEqual(lastUseAt - 90_000);
  });

  it('has the caller log in that asked for more than its token has to go', async () => {
    const { broker, upstream, advance } = await withSession();
    await advance({ minutes: 12 });
    upstream.planned.push('broken');

    expect((await broker.handOut({ minTtlSeconds: 900 })).source).toBe('login');
    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 1]);
  });

  it('is not repeated for a session whose logins fail, but for one whose back-off is over', async () => {
    const { broker, upstream, advance, weather } = await withSession();
    await advance({ minutes: 11 });
    weather.upstream.logins.broken = 1;
    upstream.planned.push('no_new_token');
    await broker.sweep();
    await advance({ seconds: 31 });
    await broker.sweep();

    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 2]);
    expect((await broker.handOut()).token.generation).toBe(2);
  });
});
