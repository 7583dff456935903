import { describe, expect, it } from 'vitest';
import { proxiedCalls } from '../../../protocol/proxied-calls.ts';
import type { ConnectionSettings } from '../../../simulation/connections.ts';
import { workforceConnection } from '../../../simulation/connections.ts';

/** An upstream that ends the old token when it issues a new one (C18), before its first call. */
function exclusive(settings: ConnectionSettings = {}, timeoutSeconds = 8) {
  const connection = workforceConnection({ tokensOverlap: false, ...settings });
  return proxiedCalls({ connection, policy: { timeoutSeconds } });
}

/** The same with a token that is two minutes old. */
async function withToken(settings: ConnectionSettings = {}, timeoutSeconds = 8) {
  const made = exclusive(settings, timeoutSeconds);
  await made.call();
  await made.advance({ minutes: 2 });
  return made;
}

describe('createExclusiveCalls (C18)', () => {
  it.each([
    [8, 13_000],
    [3, 11_000],
  ])('holds the slot’s lease while a call lasts: with a policy of %i s, for %i ms', async (policySeconds, lengthMs) => {
    const { call, script, answered, record, time } = await withToken({}, policySeconds);
    let leftMs = 0;
    script.push((sent) => {
      leftMs = (record().lease?.until ?? 0) - time.now();
      expect(sent.timeoutMs).toBeGreaterThan(policySeconds * 1_000 - 10);
      expect(sent.timeoutMs).toBeLessThanOrEqual(policySeconds * 1_000);
      return answered(200);
    });

    expect(await call()).toBe(200);
    expect(leftMs).toBeGreaterThan(lengthMs - 100);
    expect(leftMs).toBeLessThanOrEqual(lengthMs);
    expect(record().lease).toBeUndefined();
    expect(record()).toMatchObject({ generation: 1, tries: 0, notBefore: 0 });
  });

  it('has a token minted first where there is none', async () => {
    const { call, upstream, forwarded, record } = exclusive();

    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(1);
    expect(forwarded[0]?.tokenHash).toBe(record().token?.hash);
  });

  it('has one minted where the one it found does not decrypt, and goes out with that', async () => {
    const { call, upstream, forwarded, record, putToken } = await withToken();
    putToken({ ciphertext: new Uint8Array(40) });

    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(2);
    expect(record().generation).toBe(2);
    expect(forwarded.at(-1)?.tokenHash).toBe(record().token?.hash);
  });

  it('finds its token by one consistent read, however far others lag', async () => {
    const { call, callsOf } = await withToken();
    const reads = callsOf('read');
    await call();

    expect(reads().map(({ isConsistent }) => isConsistent)).toEqual([true]);
  });

  it('records a call before it goes out, with all that a hand-out must say (invariant 10)', async () => {
    const { call, script, answered, audits, record } = await withToken();
    let before = 0;
    script.push(() => {
      before = audits.length;
      return answered(200);
    });
    await call();
    const { token } = record();

    expect(before).toBe(2);
    expect(audits[1]).toMatchObject({
      ...{ caller: 'some-caller', requestId: 'some-request', connection: 'wfm', subject: 'system' },
      ...{ tokenHash: token?.hash, generation: 1, secretVersion: token?.secretVersion, source: 'cache', via: 'proxy' },
    });
  });

  it('ends the call within its lease on every clock, however long it took to put it on record', async () => {
    const { call, slow, forwarded, record, script, answered } = await withToken();
    slow.auditMs = 7_000;
    let until = 0;
    script.push(() => {
      until = record().lease?.until ?? 0;
      return answered(200);
    });
    await call();
    const { at = 0, timeoutMs = 0 } = forwarded.at(-1) ?? {};

    expect(at + timeoutMs).toBeLessThanOrEqual(until - 5_000);
    expect(timeoutMs).toBeGreaterThan(900);
  });

  it('forwards nothing with less than a tenth of a second left, and gives the lease back', async () => {
    const { call, refusedCall, forwarded, record } = await withToken();
    expect(await call({ leftMs: 112 })).toBe(200);
    expect(forwarded[1]?.timeoutMs).toBeGreaterThanOrEqual(100);
    const error = await refusedCall({ leftMs: 100 });

    expect(error.code).toBe('deadline_exceeded');
    expect(error.detail).toMatch(/nothing was forwarded/i);
    expect(forwarded).toHaveLength(2);
    expect(record().lease).toBeUndefined();
  });

  it('gives the lease back where the upstream did not answer', async () => {
    const { refusedCall, script, record } = await withToken();
    script.push(() => ({ kind: 'failure', code: 'upstream_unavailable', backOff: 'unknown', detail: 'It is down.' }));

    expect(await refusedCall()).toMatchObject({ code: 'upstream_unavailable', detail: 'It is down.' });
    expect(record().lease).toBeUndefined();
  });

  it('leaves the lease to lapse where it cannot be given back', async () => {
    const { call, failNext, record } = await withToken();
    failNext('release', 'down');

    expect(await call()).toBe(200);
    expect(record().lease).toBeDefined();
  });
});

describe('an exclusive call during another one', () => {
  it('goes out as soon as the other has ended', async () => {
    const { startCall, call, script, answered, time, forwarded } = await withToken();
    script.push(() => time.after(3_000).then(() => answered(200)));
    const other = startCall();
    await time.advance(100);

    expect(await call()).toBe(200);
    await time.settle(other);
    const [, first, second] = forwarded;
    const waitedMs = (second?.at ?? 0) - (first?.at ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(3_000);
    expect(waitedMs).toBeLessThan(3_600);
  });

  it('looks 50 to 500 ms apart, never at the same pace as the others', async () => {
    const { call, heldByAnother, callsOf } = await withToken();
    heldByAnother(12_000);
    const reads = callsOf('read');
    await call();
    const looks = reads().map(({ at }) => at);
    const gaps = looks.slice(1).map((at, n) => at - (looks[n] ?? 0));

    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(510);
    expect(new Set(gaps).size).toBeGreaterThan(10);
  });

  it.each([
    [23_000, 15_000],
    [4_000, 4_000],
  ])('with %i ms to live waits for it %i ms, then says `refresh_in_progress`', async (leftMs, waitedMs) => {
    const { refusedCall, time, heldByAnother, forwarded } = await withToken();
    heldByAnother(60_000);
    const before = time.now();
    const error = await refusedCall({ leftMs });

    expect(error.code).toBe('refresh_in_progress');
    expect(error.detail).toMatch(/other calls.*again/i);
    expect(time.now() - before).toBeGreaterThanOrEqual(waitedMs);
    expect(time.now() - before).toBeLessThan(waitedMs + 600);
    expect(forwarded).toHaveLength(1);
  });

  it('waits again where another took the lease first', async () => {
    const { call, beforeNext, heldByAnother, time } = await withToken();
    beforeNext('beginCall', () => heldByAnother(2_000));
    const before = time.now();

    expect(await call()).toBe(200);
    expect(time.now() - before).toBeGreaterThanOrEqual(2_000);
  });

  it('fails where the store takes no claim', async () => {
    const { refusedCall, failNext, forwarded } = await withToken();
    failNext('beginCall', 'down');

    expect((await refusedCall()).code).toBe('store_unavailable');
    expect(forwarded).toHaveLength(1);
  });

  it.each(['sent_twice', 'reply_lost'] as const)('knows its own lease where the write was: %s', async (fault) => {
    const { call, failNext, time, record } = await withToken();
    failNext('beginCall', fault);
    const before = time.now();

    expect(await call()).toBe(200);
    expect(time.now() - before).toBeLessThan(100);
    expect(record().lease).toBeUndefined();
  });
});

describe('a token renewed by the answer to an exclusive call', () => {
  it('takes the place of the one used, whose session it goes on with', async () => {
    const { call, slideNext, record, forwarded, upstream } = await withToken();
    const { token: first } = record();
    slideNext();
    await call();
    const { token, dueAt, ttlSeconds, lease, generation } = record();

    expect({ generation, lease }).toEqual({ generation: 2, lease: undefined });
    expect(token?.sessionStartedAt).toBe(first?.sessionStartedAt);
    expect(dueAt).toBe(token?.refreshAt);
    expect(ttlSeconds).toBe(Math.ceil((token?.usableUntil ?? 0) / 1_000));
    await call();
    expect(forwarded.at(-1)?.tokenHash).toBe(token?.hash);
    expect(upstream.logins).toHaveLength(1);
  });

  it('may come in the half minute after refreshAt, so that no refresh is asked for meanwhile', async () => {
    const { call, record, advance, time, fleet } = await withToken();
    const { refreshAt = 0 } = record().token ?? {};
    await advance({ ms: refreshAt + 29_000 - time.now() });
    await call();
    expect(fleet.asked).toEqual([]);
    await advance({ seconds: 2 });
    await call();

    expect(fleet.asked).toHaveLength(1);
  });

  it('proves nothing about the credential: a refused version stays refused (invariant 5)', async () => {
    const { call, slideNext, record, put } = await withToken();
    const kept = { refusedVersion: 'version-1', ttlSeconds: record().ttlSeconds + 2_000_000 };
    put(kept);
    slideNext();
    await call();

    expect(record()).toMatchObject({ generation: 2, ...kept });
  });

  it('makes the next call log in if it cannot be stored, since the used one is dead', async () => {
    const { call, slideNext, script, answered, record, upstream, forwarded, said } = await withToken({
      renewalCooldownSeconds: 0,
    });
    slideNext({ lifeSeconds: 30 });
    expect(await call()).toBe(200);
    expect(record()).toMatchObject({ generation: 1, rejectedGeneration: 1 });
    expect(record().lease).toBeUndefined();
    expect(said.warnings).toEqual([]);

    script.push((sent) =>
      answered(sent.tokenHash === record().token?.hash && upstream.logins.length === 1 ? 401 : 200),
    );
    expect(await call()).toBe(200);
    expect([upstream.logins.length, upstream.slides.length]).toEqual([2, 0]);
    expect(forwarded.at(-1)?.tokenHash).toBe(record().token?.hash);
  });

  it('does not fail the call where it cannot be stored, and operators hear of it', async () => {
    const { call, slideNext, record, failNext, said } = await withToken();
    failNext('publish', 'down');
    slideNext();

    expect(await call()).toBe(200);
    expect(record()).toMatchObject({ generation: 1, rejectedGeneration: 1 });
    expect(record().lease).toBeUndefined();
    expect(said.warnings.filter((warning) => /slid token/.test(warning))).toHaveLength(1);
  });
});

describe('an exclusive call that is answered 401 (H17, C19)', () => {
  it('gives the lease back, has the slot log in, and is replayed once', async () => {
    const { call, answerNext, record, upstream, forwarded } = await withToken();
    const { token: dead } = record();
    answerNext(401);

    expect(await call()).toBe(200);
    expect(upstream.logins).toHaveLength(2);
    expect(forwarded.slice(1).map(({ tokenHash }) => tokenHash === dead?.hash)).toEqual([true, false]);
    expect(record().renewalBarredUntil).toBeUndefined();
  });

  it('bars renewals on anybody’s word where the replay is answered 401 too', async () => {
    const { call, answerNext, record, time, forwarded } = await withToken();
    answerNext(401, 401);

    expect(await call()).toBe(401);
    expect(forwarded).toHaveLength(3);
    expect((record().renewalBarredUntil ?? 0) - time.now()).toBeGreaterThan(59_000);
  });

  it.each([
    ['the token is too young to be renewed', 23_000, 1],
    ['there is no time for a login', 12_000, 120],
  ])('keeps the 401 where %s', async (_why, leftMs, ageSeconds) => {
    const { call, answerNext, record, upstream, forwarded, advance } = exclusive();
    await call();
    await advance({ seconds: ageSeconds });
    answerNext(401);

    expect(await call({ leftMs })).toBe(401);
    expect(upstream.logins).toHaveLength(1);
    expect(forwarded).toHaveLength(2);
    expect(record()).toMatchObject({ rejectedGeneration: 0 });
    expect(record().renewalBarredUntil).toBeUndefined();
  });

  it('does not hide a fault of the broker behind the 401', async () => {
    const { call, answerNext, beforeNext } = await withToken();
    beforeNext('markRejected', () => Promise.reject(new TypeError('a fault of ours')));
    answerNext(401);

    await expect(call()).rejects.toThrow('a fault of ours');
  });
});
