import { describe, expect, it } from 'vitest';
import { workforceConnection } from '../simulation/connections.ts';
import { proxiedCalls } from './proxied-calls.ts';

/** An upstream that ends the old token with every new one (C18), with a token that is two minutes old. */
async function withToken(settings: Parameters<typeof workforceConnection>[0] = {}) {
  const made = proxiedCalls({ connection: workforceConnection({ tokensOverlap: false, ...settings }) });
  await made.call();
  await made.advance({ minutes: 2 });
  return made;
}

const SLID = { value: 'slid-token' };

describe('an exclusive session (C18)', () => {
  it('is followed by a login, whatever the cooldown, once it cannot be slid on (C20)', async () => {
    const { call, script, answered, upstream, record, advance, forwarded } = await withToken({
      maxSessionSeconds: 600,
      renewalCooldownSeconds: 3_600,
    });
    await advance({ minutes: 9 });
    script.push(() => answered(200, SLID));
    await call();
    const [dead] = forwarded.slice(-1);
    expect(record().token?.hash).toBe(dead?.tokenHash);

    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(2);
    expect(upstream.slides).toHaveLength(0);
    expect(forwarded.at(-1)?.tokenHash).not.toBe(dead?.tokenHash);
  });

  it('is not held up by a DELETE in the middle of a call, after which the next call logs in', async () => {
    const { startCall, call, script, answered, broker, record, time, upstream } = await withToken();
    script.push(async () => {
      await time.after(1_000);
      return answered(200, SLID);
    });
    const calling = startCall();
    await time.advance(500);
    await broker.purge();
    expect((await time.settle(calling)).status).toBe(200);

    expect(record().lease).toBeUndefined();
    const began = time.now();
    expect(await call()).toBe(200);
    expect(time.now() - began).toBeLessThan(5_000);
    expect(upstream.logins).toHaveLength(2);
  });

  it('is given up where what it slid to cannot be stored: its old token is not used again', async () => {
    const { call, script, answered, weather, upstream, forwarded, advance } = await withToken();
    const before = forwarded.at(-1)?.tokenHash;
    script.push(() => {
      weather.store.writesDown = 1;
      return answered(200, SLID);
    });
    expect(await call()).toBe(200);
    weather.store.writesDown = 0;
    await advance({ seconds: 30 });

    // The store took nothing, not even that the token is dead: the upstream's 401 says so, and the call is replayed.
    script.push(() => answered(401));
    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(2);
    expect(forwarded.at(-1)?.tokenHash).not.toBe(before);
  });

  it('keeps its item for as long as a call holds its lease, though its token ends before', async () => {
    const { call, script, answered, record, advance, time } = await withToken({
      lifetimeSeconds: 150,
      minTtlSeconds: 0,
    });
    await advance({ seconds: 20 });
    let keptUntil = 0;
    let heldUntil = Number.POSITIVE_INFINITY;
    script.push(() => {
      keptUntil = record().ttlSeconds * 1_000;
      heldUntil = record().lease?.until ?? Number.POSITIVE_INFINITY;
      return answered(200);
    });
    await call();

    expect(record().generation).toBe(1);
    expect(record().token?.usableUntil).toBeLessThan(heldUntil);
    expect(keptUntil).toBeGreaterThan(heldUntil);
    expect(heldUntil).toBeGreaterThan(time.now());
  });

  it('counts as in use while calls are proxied, so that the schedule keeps it', async () => {
    const { call, script, answered, record, advance, broker, time } = await withToken({ idleSeconds: 1_800 });
    for (let minute = 0; minute < 60; minute += 1) {
      script.push(() => answered(200, { value: `slid-${minute}` }));
      await call();
      await advance({ minutes: 1 });
    }

    expect(record().lastHandedOutAt).toBeGreaterThan(time.now() - 5 * 60_000);
    await advance({ minutes: 17 });
    const { due, outcomes } = await broker.sweep();
    expect(due).toBe(1);
    expect(outcomes).not.toHaveProperty('idle');
    expect(record().dueAt).toBeDefined();
  });
});
