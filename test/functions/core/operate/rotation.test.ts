import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const FAR_AHEAD = 9_000_000_000_000;

describe('createRotation', () => {
  it('ends the back-off of every slot of the connection, however many', async () => {
    const { broker, put, record } = harness();
    const subjects = Array.from({ length: 205 }, (_, n) => String(n + 1_000));
    for (const subject of subjects) put({ notBefore: FAR_AHEAD }, subject);
    await broker.rotationEvent();

    expect(subjects.filter((subject) => record(subject).notBefore !== 0)).toEqual([]);
  });

  it.each([
    ['a back-off', { notBefore: FAR_AHEAD }, true],
    ['a refused version', { refusedVersion: 'version-0' }, true],
    ['a failure', { failure: { code: 'upstream_timeout', at: 1 } }, true],
    ['nothing', {}, false],
    ['a lock', { failure: { code: 'upstream_account_locked', at: 1 }, notBefore: FAR_AHEAD }, false],
    ['a lock that is over', { failure: { code: 'upstream_account_locked', at: 1 }, notBefore: 1 }, true],
  ] as const)('makes a slot that is in use and held back by %s due at once: %s', async (_what, held, isDue) => {
    const { broker, put, record, time, writes } = harness();
    await broker.handOut();
    put(held);
    const { dueAt } = record();
    const before = writes.length;
    const now = time.now();
    await broker.rotationEvent();

    expect(writes).toHaveLength(before + (isDue ? 1 : 0));
    if (isDue) expect((record().dueAt ?? 0) - now).toBeLessThanOrEqual(10);
    else expect(record().dueAt).toBe(dueAt);
  });

  it.each([
    [0, true],
    [1, false],
  ])('makes a slot due that was last handed out idleSeconds and %i ms ago: %s', async (moreMs, isDue) => {
    const { broker, put, record, time } = harness({ connection: helpdeskConnection({ idleSeconds: 60 }) });
    await broker.handOut();
    // The page of the listing is there 2 ms from now.
    put({ dueAt: undefined, notBefore: 1, lastHandedOutAt: time.now() + 2 - 60_000 - moreMs });
    await broker.rotationEvent();

    expect(record()).toMatchObject({ notBefore: 0 });
    expect(record().dueAt !== undefined).toBe(isDue);
  });

  it('leaves slots alone that the configuration no longer has', async () => {
    const { broker, table, putOutdated } = harness();
    const outdated = putOutdated({ notBefore: FAR_AHEAD });
    await broker.rotationEvent();

    expect(table.get(outdated)?.notBefore).toBe(FAR_AHEAD);
  });

  it('keeps good tokens, which the schedule then renews', async () => {
    const { broker, upstream, record, advance } = harness();
    const { token } = await broker.handOut();
    await advance({ hours: 20 });
    upstream.planned.push('broken');
    await broker.sweep();
    expect(record().notBefore).toBeGreaterThan(0);
    await broker.rotationEvent();
    expect(record().token?.hash).toBe(token.hash);
    await broker.sweep();

    expect(record()).toMatchObject({ notBefore: 0, generation: 2 });
  });

  it('causes no login of a slot with a good token that is not due', async () => {
    const { broker, upstream } = harness();
    await broker.handOut();
    broker.rotateSecret('other');
    upstream.rules.accepted.add('other');
    await broker.rotationEvent();
    await broker.sweep();

    expect(upstream.logins).toHaveLength(1);
  });
});
