import { describe, expect, it } from 'vitest';
import { proxiedCalls } from '../../../protocol/proxied-calls.ts';
import { workforceConnection } from '../../../simulation/connections.ts';

describe('createProxy', () => {
  it('gives a call the time that the policy gives', async () => {
    const { call, forwarded } = proxiedCalls({ policy: { timeoutSeconds: 3 } });
    await call();

    expect(forwarded[0]?.timeoutMs).toBe(3_000);
  });

  it('gives a call what the caller has left where that is less', async () => {
    const { broker, call, forwarded } = proxiedCalls();
    await broker.handOut();
    await call({ leftMs: 1_000 });

    expect(forwarded[0]?.timeoutMs).toBeLessThanOrEqual(1_000);
    expect(forwarded[0]?.timeoutMs).toBeGreaterThan(900);
  });

  it('forwards nothing with less than half a second left', async () => {
    const { call, refusedCall, forwarded } = proxiedCalls();
    await call();
    expect(await call({ leftMs: 500 })).toBe(200);
    const error = await refusedCall({ leftMs: 499 });

    expect(error.code).toBe('deadline_exceeded');
    expect(error.detail).toMatch(/nothing was forwarded/i);
    expect(forwarded).toHaveLength(2);
  });

  it('fails as the upstream did, sends nothing again, and records the hand-out as the proxy’s', async () => {
    const { refusedCall, script, forwarded, audits } = proxiedCalls();
    script.push(() => ({ kind: 'failure', code: 'upstream_timeout', backOff: 'unknown', detail: 'It hung.' }));
    const error = await refusedCall();

    expect(error).toMatchObject({ code: 'upstream_timeout', detail: 'It hung.' });
    expect(forwarded).toHaveLength(1);
    expect(audits.map(({ via }) => via)).toEqual(['proxy']);
  });
});

describe('a proxied call that is answered 401 (H17, C19)', () => {
  it('is replayed once with a new token, both hand-outs on record', async () => {
    const { broker, advance, call, answerNext, forwarded, upstream, audits } = proxiedCalls();
    const { token } = await broker.handOut();
    await advance({ minutes: 2 });
    answerNext(401);

    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(2);
    expect(forwarded.map(({ tokenHash }) => tokenHash === token.hash)).toEqual([true, false]);
    expect(audits.map(({ via, generation }) => [via, generation])).toEqual([
      ['proxy', 1],
      ['proxy', 2],
    ]);
  });

  it('keeps the upstream’s 401 where the token may not be renewed', async () => {
    const { call, answerNext, forwarded, upstream } = proxiedCalls();
    answerNext(401);

    expect(await call()).toBe(401);
    expect(forwarded).toHaveLength(1);
    expect(upstream.logins).toHaveLength(1);
  });

  it.each([
    [10_900, 200],
    [11_700, 401],
  ])(
    'is replayed with half a second left: after a renewal of %i ms out of 12,050 it ends in %i',
    async (ms, status) => {
      const { broker, advance, call, answerNext, forwarded, beforeNext, time, record } = proxiedCalls();
      await broker.handOut();
      await advance({ minutes: 2 });
      beforeNext('publish', () => time.after(ms));
      answerNext(401);

      expect(await call({ leftMs: 12_050 })).toBe(status);
      expect(forwarded).toHaveLength(status === 200 ? 2 : 1);
      expect(record().generation).toBe(2);
    },
  );

  it('does not hide a fault of the broker behind the 401', async () => {
    const { broker, advance, call, script, answered, beforeNext } = proxiedCalls();
    await broker.handOut();
    await advance({ minutes: 2 });
    script.push(() => {
      beforeNext('read', () => Promise.reject(new TypeError('a fault of ours')));
      return answered(401);
    });

    await expect(call()).rejects.toThrow('a fault of ours');
  });

  it.each([
    [0, 30_000],
    [60, 60_000],
  ])('bars renewals where the replay is too: with a cooldown of %i s for %i ms', async (cooldown, barredMs) => {
    const connection = workforceConnection({ renewalCooldownSeconds: cooldown });
    const { broker, advance, call, answerNext, record, time } = proxiedCalls({ connection });
    await broker.handOut();
    await advance({ minutes: 2 });
    answerNext(401, 401);

    expect(await call()).toBe(401);
    expect((record().renewalBarredUntil ?? 0) - time.now()).toBeGreaterThan(barredMs - 100);
    expect((record().renewalBarredUntil ?? 0) - time.now()).toBeLessThanOrEqual(barredMs);
    expect((await broker.refusal({ rejected: record().token?.hash ?? '' })).code).toBe('renewal_throttled');
  });

  it('is answered though the bar to renewals cannot be written', async () => {
    const { broker, advance, call, answerNext, record, failNext } = proxiedCalls();
    await broker.handOut();
    await advance({ minutes: 2 });
    failNext('barRenewal', 'down');
    answerNext(401, 401);

    expect(await call()).toBe(401);
    expect(record().renewalBarredUntil).toBeUndefined();
  });

  it('bars nothing where the replay is not, or where there is none', async () => {
    const { broker, advance, call, answerNext, record } = proxiedCalls();
    answerNext(401);
    expect(await call()).toBe(401);
    expect(record().renewalBarredUntil).toBeUndefined();

    await advance({ minutes: 2 });
    answerNext(401, 403);
    expect(await call()).toBe(403);
    expect(record().renewalBarredUntil).toBeUndefined();
    expect((await broker.handOut()).token.generation).toBe(2);
  });
});
