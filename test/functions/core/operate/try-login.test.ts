import { describe, expect, it } from 'vitest';
import type { Tried } from '../../../../functions/core/operate/try-login.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { harness } from '../../../protocol/harness.ts';
import { booksConnection, helpdeskConnection } from '../../../simulation/connections.ts';

function outcomeOf(tried: Tried | BrokerError): Tried['outcome'] {
  if (tried instanceof BrokerError) throw tried;
  return tried.outcome;
}

describe('createTryLogin', () => {
  it('logs in once and publishes the token, which the next caller gets', async () => {
    const { broker, upstream } = harness();
    const tried = await broker.tryLogin();

    expect(tried).toEqual({
      trial: { derived: [], steps: [] },
      outcome: { outcome: 'published', generation: 1, source: 'login' },
    });
    expect(await broker.handOut()).toMatchObject({ source: 'cache', token: { generation: 1 } });
    expect(upstream.logins).toHaveLength(1);
  });

  it('logs in although there is a good token, once that is older than renewalCooldownSeconds', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut();
    expect(await broker.tryLogin()).toMatchObject({ code: 'renewal_throttled', retryAfterMs: expect.any(Number) });
    await advance({ seconds: 61 });

    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'published', generation: 2 });
    expect(upstream.logins).toHaveLength(2);
  });

  it('never slides', async () => {
    const { broker, upstream, advance } = harness();
    upstream.rules.canSlide = true;
    await broker.handOut();
    await advance({ minutes: 5 });
    await broker.tryLogin();

    expect(upstream.slides).toHaveLength(0);
    expect(upstream.logins).toHaveLength(2);
  });

  it('sends nothing while another is at it', async () => {
    const { broker, upstream, heldByAnother } = harness();
    heldByAnother(5_000);

    expect(await broker.tryLogin()).toMatchObject({ code: 'refresh_in_progress', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(0);
  });

  it('sends nothing where another takes the lease first', async () => {
    const { broker, upstream, heldByAnother, beforeNext } = harness();
    beforeNext('acquire', () => heldByAnother(5_000));

    expect(await broker.tryLogin()).toMatchObject({ code: 'refresh_in_progress', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(0);
  });

  it('waits for mint until T + 7 s, and no longer than its own time', async () => {
    const { broker, fleet, connection } = harness({ connection: helpdeskConnection({ renewalCooldownSeconds: 0 }) });
    await broker.tryLogin();
    await broker.tryLogin('system', false, 9_000);

    const [whole = 0, short = 0] = fleet.timeoutsMs;
    expect(whole).toBe((connection.timeoutSeconds + 7) * 1000);
    expect(short).toBeGreaterThan(8_000);
    expect(short).toBeLessThanOrEqual(9_000);
  });

  it('backs off like any login, and waits like any', async () => {
    const { broker, upstream, advance } = harness();
    upstream.planned.push('broken');
    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'failed', retryAfterMs: expect.any(Number) });

    const barred = await broker.tryLogin();
    expect(barred).toMatchObject({ code: 'cooldown', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(1);
    await advance({ minutes: 2 });
    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'published' });
  });

  it('never sends a refused version of the secret again, for any slot, as every login does', async () => {
    const { broker, upstream, advance } = harness();
    upstream.rules.accepted.clear();
    for (let round = 0; round < 6; round += 1) {
      for (const subject of ['system', '1', '2', '3', '4', '5']) await broker.tryLogin(subject);
      await advance({ minutes: 1 });
    }

    expect(upstream.logins).toHaveLength(1);
    expect(await broker.tryLogin('6')).toMatchObject({ code: 'upstream_credential_rejected' });
  });

  it('says that mint could not be invoked, and lets the next try come soon', async () => {
    const { broker, upstream, advance, fleet, record } = harness();
    fleet.planned.push('refused');
    expect(await broker.tryLogin()).toMatchObject({ code: 'mint_unavailable' });
    expect(record().lease).toBeUndefined();
    // The slot stays on the schedule.
    expect(record().dueAt).toBe(record().notBefore);
    await advance({ seconds: 5 });

    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'published' });
    expect(upstream.logins).toHaveLength(1);
  });

  it('logs in once where the invocation comes twice', async () => {
    const { broker, upstream, fleet, advance } = harness({
      connection: helpdeskConnection({ renewalCooldownSeconds: 0 }),
    });
    fleet.planned.push('duplicated');
    await broker.tryLogin();
    await advance({ minutes: 1 });

    expect(upstream.logins).toHaveLength(1);
  });

  it('does not know what became of it where mint does not answer', async () => {
    const { broker, fleet } = harness();
    fleet.planned.push('fails_after');

    expect(await broker.tryLogin()).toMatchObject({ code: 'upstream_outcome_unknown' });
  });

  it('tells of a secret that cannot be read, and sends nothing', async () => {
    const { broker, upstream, weather } = harness();
    weather.secrets.down = 1;

    expect(await broker.tryLogin()).toMatchObject({ code: 'secret_unavailable' });
    expect(upstream.logins).toHaveLength(0);
  });

  it('tells where a purge came between, and publishes nothing', async () => {
    const { broker, purgeItem, beforeNext, record } = harness();
    beforeNext('publish', () => purgeItem());

    expect(outcomeOf(await broker.tryLogin())).toEqual({ outcome: 'superseded' });
    expect(record().token).toBeUndefined();
  });

  it('keeps the next value of a credential that rotates, and sends none twice (invariant 19)', async () => {
    const { broker, ledger, advance } = harness({ connection: booksConnection() });
    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'published', generation: 1 });
    await advance({ minutes: 11 });

    expect(outcomeOf(await broker.tryLogin())).toMatchObject({ outcome: 'published', generation: 2 });
    expect(ledger.map(({ refreshToken }) => refreshToken)).toEqual(['grant-1.0', 'grant-1.1']);
  });

  it('leaves a line of who tried', async () => {
    const { broker, said } = harness();
    await broker.tryLogin();

    const fields = { connection: 'helpdesk', subject: 'system', caller: 'operator', requestId: 'try' };
    expect(said.lines).toContainEqual({ message: 'A login is tried.', fields });
  });
});
