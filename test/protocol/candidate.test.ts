import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { booksConnection, helpdeskConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

const TAKEN = { outcome: { outcome: 'published' }, candidate: { isCurrent: true } };
const REFUSED = {
  outcome: { outcome: 'failed', code: 'upstream_credential_rejected' },
  candidate: { isCurrent: false },
};

/** A broker whose current version, `right`, is proven and has brought `system` a token. */
async function proven({ connection = helpdeskConnection() } = {}) {
  const made = harness({ connection: { ...connection, memorySeconds: 0 } });
  await made.broker.handOut();
  const { vault, table, upstream } = made;
  const before = upstream.logins.length;
  return {
    ...made,
    current: () => vault.current(connection.secret)?.value.reveal(),
    logins: () => table.logins(connection.name),
    loginsSince: () => upstream.logins.slice(before).map(({ credential }) => credential),
  };
}

/** The slot's record, but for what tells that a lease came and went. */
function withoutLease<R extends object>(record: R): Partial<R> {
  return { ...record, fence: undefined, ttlSeconds: undefined };
}

describe('a candidate that the upstream takes', () => {
  it('becomes current by one login, which proves it and whose token is published', async () => {
    const { broker, upstream, current, logins, loginsSince, advance, sweep, time } = await proven();
    upstream.rules.accepted.add('next');

    expect(await broker.tryCandidate('next')).toMatchObject(TAKEN);
    expect(current()).toBe('next');
    expect(logins()).toMatchObject({ secretVersion: 'version-2', standing: 'proven', failed: new Set() });
    expect(logins()?.probe).toBeUndefined();
    expect(await broker.handOut()).toMatchObject({ token: { generation: 2 } });
    // The event of the label finds it proven.
    await broker.rotationEvent();
    await advance({ minutes: 1 });
    await time.settle(sweep());
    expect(loginsSince()).toEqual(['next']);
  });

  it('ends the back-off and the refusal of the version before it', async () => {
    const { broker, upstream, record, current } = await proven();
    upstream.rules.accepted.clear();
    await broker.purge();
    await broker.refusal();
    expect(record()).toMatchObject({ refusedVersion: 'version-1' });
    upstream.rules.accepted.add('next');

    expect(await broker.tryCandidate('next')).toMatchObject(TAKEN);
    expect(record().refusedVersion).toBeUndefined();
    expect(current()).toBe('next');
  });

  it('is tried as any login where it is the first value of all, which is current at once', async () => {
    const { broker, vault, connection, upstream, record } = harness();
    vault.empty(connection.secret);
    await broker.refusal();
    const failed = await broker.tryCandidate('wrong');
    expect(failed).toMatchObject({ code: 'cooldown', causeCode: 'secret_unavailable' });
    vault.empty(connection.secret);
    await broker.purge();

    expect(await broker.tryCandidate('right')).toEqual({
      trial: { derived: [], steps: [] },
      outcome: { outcome: 'published', generation: record().generation, source: 'login' },
    });
    expect(upstream.logins).toHaveLength(1);
    // Its label stays, and a repetition is a try of the current version.
    expect(await broker.tryLogin('system', true)).toMatchObject({ code: 'renewal_throttled' });
  });

  it('does not become current by a token that is over at issue', async () => {
    const { broker, upstream, current, record, logins } = await proven();
    upstream.rules.accepted.add('next');
    upstream.rules.lifeSeconds = 64;
    const before = record();

    expect(await broker.tryCandidate('next')).toMatchObject({
      outcome: { outcome: 'failed', code: 'upstream_token_unusable' },
      candidate: { isCurrent: false },
    });
    expect(current()).toBe('right');
    expect(withoutLease(record())).toEqual(withoutLease(before));
    expect(logins()).toMatchObject({ secretVersion: 'version-1', standing: 'proven', failed: new Set() });
  });

  it('leaves the version that another made current meanwhile, and discards its token', async () => {
    const { broker, vault, upstream, current, record, logins } = await proven();
    upstream.rules.accepted.add('next').add('other');
    const { promote } = vault;
    vault.promote = (...named) => {
      broker.rotateSecret('other');
      promote(...named);
    };
    const before = record();

    expect(await broker.tryCandidate('next')).toMatchObject({
      outcome: { outcome: 'superseded' },
      candidate: { isCurrent: false },
    });
    expect(current()).toBe('other');
    expect(withoutLease(record())).toEqual(withoutLease(before));
    expect(logins()).toMatchObject({ secretVersion: 'version-1', standing: 'proven', failed: new Set() });
  });

  it('says what it knows where the reply of the move is lost, and the next login proves what is current', async () => {
    const { broker, upstream, weather, current, loginsSince, advance } = await proven();
    upstream.rules.accepted.add('next');
    weather.secrets.replyLost = 1;

    expect(await broker.tryCandidate('next')).toMatchObject({
      outcome: { outcome: 'failed', code: 'secret_unavailable' },
      candidate: { isCurrent: false },
    });
    expect(current()).toBe('next');
    // Repeated, it is the current version, and is tried as any login.
    await advance({ seconds: 61 });
    expect(await broker.tryLogin('system', true)).toMatchObject({ outcome: { outcome: 'published' } });
    expect(loginsSince()).toEqual(['next', 'next']);
  });

  it('counts against the provider’s limit on tokens', async () => {
    const connection = helpdeskConnection();
    const provider = { ...connection.provider, limits: { tokens: { count: 2, perSeconds: 3_600 } } };
    const { broker, upstream, current } = await proven({ connection: { ...connection, provider } });
    upstream.rules.accepted.add('next').add('later');

    expect(await broker.tryCandidate('next')).toMatchObject(TAKEN);
    expect(await broker.tryCandidate('later')).toMatchObject({ code: 'login_limited' });
    expect(current()).toBe('next');
  });
});

describe('a candidate that the upstream refuses', () => {
  it('costs one login and leaves the current version, its proof, its slots and their tokens', async () => {
    const { broker, current, record, logins, loginsSince, said } = await proven();
    const [slot, known] = [record(), logins()];

    expect(await broker.tryCandidate('wrong')).toMatchObject(REFUSED);
    expect(withoutLease(record())).toEqual(withoutLease(slot));
    expect(current()).toBe('right');
    expect(logins()).toMatchObject({
      secretVersion: known?.secretVersion,
      standing: 'proven',
      refusals: 0,
      notBefore: known?.notBefore,
      probe: undefined,
      failedCandidate: { code: 'upstream_credential_rejected' },
    });
    // Nothing rings: callers are served.
    expect(said.metrics.map(({ name }) => name)).not.toContain('CredentialRefused');
    expect(await broker.handOut()).toMatchObject({ source: 'cache', token: { generation: 1 } });
    expect(await broker.handOut({ subject: '1' })).toMatchObject({ source: 'login' });
    expect(loginsSince()).toEqual(['wrong', 'right']);
  });

  it('is told of in the log by code and evidence, and nothing else is told of it (invariant 9)', async () => {
    const { broker, connection, said } = await proven();
    const before = said.lines.length;
    await broker.tryCandidate('wrong');

    const about = { connection: connection.name, subject: 'system' };
    expect(said.lines.slice(before)).toEqual([
      { message: 'A candidate is tried.', fields: { ...about, caller: 'operator', requestId: 'try' } },
      {
        message: 'A candidate was tried and did not become current.',
        fields: { ...about, code: 'upstream_credential_rejected' },
      },
    ]);
  });

  it('is not sent again: its label is gone', async () => {
    const { broker, loginsSince } = await proven();
    await broker.tryCandidate('wrong');

    expect(await broker.tryLogin('system', true)).toMatchObject({ code: 'invalid_request' });
    expect(loginsSince()).toEqual(['wrong']);
  });

  it('leaves a current version as dead as it was, and both are told of', async () => {
    const { broker, upstream, record, logins, current } = await proven();
    upstream.rules.accepted.clear();
    await broker.purge();
    await broker.refusal();
    const before = record();

    expect(await broker.tryCandidate('wrong')).toMatchObject(REFUSED);
    expect(withoutLease(record())).toEqual(withoutLease(before));
    expect(logins()).toMatchObject({ standing: 'refused', failedCandidate: { code: 'upstream_credential_rejected' } });
    expect(current()).toBe('right');
  });

  it('is forgotten once a new version is current', async () => {
    const { broker, upstream, logins, advance } = await proven();
    await broker.tryCandidate('wrong');
    upstream.rules.accepted.add('mended');
    broker.rotateSecret('mended');
    await advance({ hours: 24 });
    await broker.handOut();

    expect(logins()).toMatchObject({ secretVersion: 'version-3', standing: 'proven' });
    expect(logins()?.failedCandidate).toBeUndefined();
  });
});

describe('the lockout of accounts (invariant 22)', () => {
  it('lets three candidates be refused in thirty minutes, and a fourth never be sent', async () => {
    const { broker, upstream, loginsSince, advance } = await proven();
    for (const value of ['wrong-1', 'wrong-2', 'wrong-3']) await broker.tryCandidate(value);

    const barred = await broker.tryCandidate('wrong-4');
    expect(barred).toMatchObject({ code: 'cooldown', retryAfterMs: expect.any(Number) });
    expect(loginsSince()).toHaveLength(3);
    await advance({ ms: barred instanceof BrokerError ? (barred.retryAfterMs ?? 0) : 0 });
    upstream.rules.accepted.add('wrong-4');
    expect(await broker.tryLogin('system', true)).toMatchObject(TAKEN);
  });

  it('counts a candidate whose mint died, for half an hour, and those of unknown outcome', async () => {
    const { broker, upstream, fleet, loginsSince, advance } = await proven();
    fleet.planned.push('fails_after');
    upstream.planned.push('lost', 'lost', 'lost');
    await broker.tryCandidate('a');
    for (const value of ['b', 'c', 'd', 'e']) {
      await advance({ seconds: 30 });
      await broker.tryCandidate(value);
    }

    expect(loginsSince()).toHaveLength(4);
  });

  it('leaves an account alone that says it is locked, by the current version or by a candidate', async () => {
    const { broker, upstream, loginsSince, advance } = await proven();
    upstream.rules.lockedAfter = 1;
    await broker.tryCandidate('wrong');
    await broker.purge();
    await advance({ seconds: 1 });

    expect(await broker.refusal()).toMatchObject({ code: 'upstream_account_locked' });
    const before = loginsSince().length;
    expect(await broker.tryCandidate('right-by-now')).toMatchObject({ code: 'cooldown' });
    expect(loginsSince()).toHaveLength(before);
  });

  it('is one login at a time with those of a current version that is not proven (invariant 21)', async () => {
    const { broker, upstream, time, world, connection, slot, vault, advance } = harness();
    upstream.rules.accepted.add('next');
    vault.propose(connection.secret, 'next');
    const deadline = world.operators.clock.monotonic() + 24_000;
    const about = { connection, slot: slot(), candidate: true, caller: 'operator', requestId: 'try', deadline };
    const trying = world.tryLogin(about);
    await advance({ ms: 5 });
    const asking = broker.start({ subject: '1' });

    expect(await time.settle(Promise.all([trying, asking]))).toMatchObject([TAKEN, { source: 'login' }]);
    expect(upstream.logins.map(({ credential }) => credential)).toEqual(['next', 'next']);
    const [first, second] = upstream.logins;
    expect(second?.at).toBeGreaterThan(first?.endedAt ?? Infinity);
  });

  it('waits for a login under way with a current version that is not proven', async () => {
    const { broker, upstream, time, world, connection, slot, vault } = harness();
    vault.propose(connection.secret, 'next');
    const asking = broker.start({ subject: '1' });
    const deadline = world.operators.clock.monotonic() + 24_000;
    const about = { connection, slot: slot(), candidate: true, caller: 'operator', requestId: 'try', deadline };
    const trying = world.tryLogin(about).catch((error: unknown) => error);

    expect(await time.settle(Promise.all([trying, asking]))).toMatchObject([
      { code: 'refresh_in_progress' },
      { source: 'login' },
    ]);
    expect(upstream.logins.map(({ credential }) => credential)).toEqual(['right']);
  });
});

describe('two operators', () => {
  it('make one login where one puts a candidate in the place of the other’s', async () => {
    const { broker, vault, connection, upstream, current, loginsSince } = await proven();
    upstream.rules.accepted.add('mine').add('yours');
    vault.propose(connection.secret, 'mine');
    const yours = vault.propose(connection.secret, 'yours');

    expect(await broker.tryLogin('system', true)).toMatchObject({ candidate: { versionId: yours, isCurrent: true } });
    expect(await broker.tryLogin('system', true)).toMatchObject({ code: 'invalid_request' });
    expect(current()).toBe('yours');
    expect(loginsSince()).toEqual(['yours']);
  });

  it('are told of each other while one is at it', async () => {
    const { broker, heldByAnother, loginsSince } = await proven();
    heldByAnother(5_000);

    expect(await broker.tryCandidate('next')).toMatchObject({ code: 'refresh_in_progress' });
    expect(loginsSince()).toEqual([]);
  });
});

describe('what cannot be tried', () => {
  it('is a credential that rotates: a login spends it (invariant 19)', async () => {
    const { broker, ledger } = harness({ connection: booksConnection() });

    expect(await broker.tryCandidate('{}')).toMatchObject({ code: 'invalid_request' });
    expect(ledger).toEqual([]);
  });

  it('is one by which a login sends nothing', async () => {
    const connection = helpdeskConnection();
    const provider = { ...connection.provider, logins: { system: [], user: [] } };
    const { broker, ledger } = harness({ connection: { ...connection, provider } });

    expect(await broker.tryCandidate('next')).toMatchObject({ code: 'invalid_request' });
    expect(ledger).toEqual([]);
  });

  it('leaves the slot as it was where mint cannot be invoked, or Secrets Manager be reached', async () => {
    const { broker, fleet, weather, record, loginsSince } = await proven();
    const before = record();
    fleet.planned.push('refused');

    expect(await broker.tryCandidate('next')).toMatchObject({ code: 'mint_unavailable' });
    weather.secrets.down = 1;
    expect(await broker.tryLogin('system', true)).toMatchObject({ code: 'secret_unavailable' });
    expect(withoutLease(record())).toEqual(withoutLease(before));
    expect(loginsSince()).toEqual([]);
  });
});
