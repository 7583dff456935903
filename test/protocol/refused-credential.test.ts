import { describe, expect, it } from 'vitest';
import { helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

function withWrongCredential() {
  const made = harness();
  made.upstream.rules.accepted.clear();
  return made;
}

describe('a credential that the upstream refuses (C12, invariant 5)', () => {
  it('is tried once, and not again however long and often callers ask', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    for (let ask = 0; ask < 50; ask += 1) {
      expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
      await advance({ minutes: ask });
      await broker.sweep();
    }

    expect(upstream.logins).toHaveLength(1);
  });

  it('is remembered for 30 days, and no schedule looks at it meanwhile', async () => {
    const { broker, record, time, vault, connection } = withWrongCredential();
    await broker.refusal();

    expect(record()).toMatchObject({ refusedVersion: vault.current(connection.secret)?.versionId, tries: 1 });
    expect(record().dueAt).toBeUndefined();
    expect(record().ttlSeconds).toBeGreaterThanOrEqual(Math.floor(time.now() / 1000) + 30 * 86_400 - 1);
  });

  it('is looked at every 10 s at most, and such a look neither logs in nor counts as a try', async () => {
    const { broker, upstream, advance, record } = withWrongCredential();
    const first = await broker.refusal();
    expect(first.retryAfterMs).toBeLessThanOrEqual(10_000);
    for (let look = 0; look < 10; look += 1) {
      await advance({ seconds: 11 });
      const error = await broker.refusal();
      expect(error.retryAfterMs).toBeLessThanOrEqual(10_000);
    }

    expect(upstream.logins).toHaveLength(1);
    expect(record().tries).toBe(1);
    expect(record().fence).toBe(11);
  });

  it('is replaced within 10 s of a request once the secret has a version that works', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    await broker.refusal();
    await advance({ minutes: 5 });
    await broker.refusal();
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await advance({ seconds: 10 });

    expect((await broker.handOut()).source).toBe('login');
    expect(upstream.logins).toHaveLength(2);
  });

  it('is tried once with each version', async () => {
    const { broker, upstream, advance } = withWrongCredential();
    for (const value of ['wrong', 'wrong as well', 'still wrong']) {
      await broker.refusal();
      await advance({ seconds: 30 });
      await broker.refusal();
      broker.rotateSecret(value);
      await advance({ seconds: 30 });
    }

    expect(upstream.logins.map(({ credential }) => credential)).toEqual(['right', 'wrong', 'wrong as well']);
  });

  it('is tried again at once on a rotation event, for slots in use by the schedule', async () => {
    const { broker, upstream, advance, record } = harness();
    await broker.handOut();
    upstream.rules.accepted.clear();
    await advance({ hours: 20 });
    await broker.sweep();
    expect(record().refusedVersion).toBeDefined();
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await broker.rotationEvent();
    await broker.sweep();

    expect(record()).toMatchObject({ generation: 2 });
    expect(record().refusedVersion).toBeUndefined();
    expect(upstream.logins).toHaveLength(3);
  });

  it('keeps the refused version in mind through a rotation event that brought no new version', async () => {
    const { broker, upstream } = withWrongCredential();
    await broker.refusal();
    await broker.rotationEvent();
    await broker.sweep();

    expect((await broker.refusal()).code).toBe('upstream_credential_rejected');
    expect(upstream.logins).toHaveLength(1);
  });

  it('is tried again after an operator purged the slot', async () => {
    const { broker, upstream } = withWrongCredential();
    await broker.refusal();
    await broker.purge();
    await broker.refusal();

    expect(upstream.logins).toHaveLength(2);
  });

  it('leaves good tokens alone', async () => {
    const { broker, upstream, advance } = harness();
    const { token } = await broker.handOut();
    upstream.rules.accepted.clear();
    await advance({ hours: 20 });
    await broker.sweep();

    expect((await broker.handOut()).token.hash).toBe(token.hash);
    expect(upstream.logins).toHaveLength(2);
  });
});

describe('the stop of a version that is refused (invariant 5)', () => {
  async function stopped() {
    const made = withWrongCredential();
    for (const subject of ['1', '2', '3']) await made.broker.refusal({ subject });
    return made;
  }

  it('ends all logins of the connection', async () => {
    const { broker, upstream, advance } = await stopped();
    for (const subject of ['4', '5', 'system', '1']) {
      expect((await broker.refusal({ subject })).code).toBe('upstream_credential_rejected');
      await advance({ minutes: 5 });
      expect((await broker.refusal({ subject })).code).toBe('upstream_credential_rejected');
    }

    // Two of them, and `system`.
    expect(upstream.logins).toHaveLength(3);
  });

  it('is lifted by a new version', async () => {
    const { broker, upstream, advance } = await stopped();
    await broker.refusal({ subject: '4' });
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await advance({ seconds: 10 });

    for (const subject of ['4', '1', 'system']) expect((await broker.handOut({ subject })).source).toBe('login');
    expect(upstream.logins).toHaveLength(4);
  });

  it('is lifted by the purge of any of its slots', async () => {
    const { broker, upstream, advance } = await stopped();
    await broker.refusal({ subject: '4' });
    upstream.rules.accepted.add('right');
    await broker.purge('2');
    await advance({ seconds: 10 });

    expect((await broker.handOut({ subject: '4' })).source).toBe('login');
  });

  it('does not come where a success came between', async () => {
    const { broker, upstream } = harness();
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '1' });
    upstream.rules.accepted.add('right');
    await broker.handOut();
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '4' });
    await broker.refusal({ subject: '5' });
    upstream.rules.accepted.add('right');

    expect((await broker.handOut({ subject: '6' })).source).toBe('login');
    expect(upstream.logins).toHaveLength(5);
  });

  it('ends no login of another connection', async () => {
    const other = helpdeskConnection({ name: 'other', secret: 'token-broker/other' });
    const { broker, world, time } = harness({ others: [other] });
    world.upstreams.get('helpdesk')?.rules.accepted.clear();
    for (const subject of ['1', '2', '3']) await broker.refusal({ subject });
    const slot = { connection: 'other', subject: 'system', fingerprint: other.fingerprint };
    const request = { connection: other, slot, caller: 'some-caller', requestId: 'request' };

    expect((await time.settle(world.startTokenInstance('other').handOut(request))).source).toBe('login');
  });
});

describe('a locked account', () => {
  it('is left alone for half an hour', async () => {
    const { broker, upstream, advance } = harness();
    upstream.rules.lockedAfter = 1;
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '1' });
    expect((await broker.refusal({ subject: 'system' })).code).toBe('upstream_account_locked');
    await advance({ minutes: 29 });
    expect(await broker.refusal({ subject: 'system' })).toMatchObject({
      code: 'cooldown',
      causeCode: 'upstream_account_locked',
    });
    expect(upstream.logins).toHaveLength(2);
    upstream.rules.accepted.add('right');
    await advance({ minutes: 2 });

    expect((await broker.handOut({ subject: 'system' })).source).toBe('login');
  });
});
