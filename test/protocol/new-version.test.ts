import { describe, expect, it } from 'vitest';
import { workforceConnection } from '../simulation/connections.ts';
import { harness } from './harness.ts';

const staff = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1));

/** Forty users with good tokens that last for most of a day. */
async function atEase() {
  const made = harness();
  for (const subject of staff(40)) await made.broker.handOut({ subject });
  const before = made.upstream.logins.length;
  /** Lets minutes pass, each with a sweep. */
  const sweepFor = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await made.broker.sweep();
      await made.advance({ seconds: 60 });
    }
  };
  const refusals = () => made.said.metrics.filter(({ name }) => name === 'CredentialRefused').length;
  return { ...made, sweepFor, refusals, loginsSince: () => made.upstream.logins.slice(before) };
}

describe('a new version of the secret while slots hold good tokens (invariant 29)', () => {
  it('is seen to be wrong within a minute of its event, by one login, and every good token stays', async () => {
    const { broker, table, sweepFor, refusals, loginsSince } = await atEase();
    const hashes = table.all().map(({ record }) => record.token?.hash);
    broker.rotateSecret('wrong');
    await broker.rotationEvent();
    await sweepFor(1);

    expect(loginsSince().map(({ credential, outcome }) => [credential, outcome])).toEqual([
      ['wrong', 'upstream_credential_rejected'],
    ]);
    expect(refusals()).toBe(1);
    expect(table.all().map(({ record }) => record.token?.hash)).toEqual(hashes);
    for (const subject of staff(40)) expect((await broker.handOut({ subject })).source).toBe('cache');
    await sweepFor(60);
    expect(loginsSince()).toHaveLength(1);
  });

  it('is proven by one login where it is good', async () => {
    const { broker, upstream, table, sweepFor, loginsSince } = await atEase();
    upstream.rules.accepted.add('good');
    broker.rotateSecret('good');
    await broker.rotationEvent();
    await sweepFor(10);

    expect(loginsSince().map(({ outcome }) => outcome)).toEqual(['token']);
    expect(table.logins('helpdesk')).toMatchObject({ secretVersion: 'version-2', standing: 'proven' });
    expect(table.all().filter(({ record }) => record.unprovenVersion !== undefined)).toEqual([]);
  });

  it('is proven again after a back-off where the outcome is unknown', async () => {
    const { broker, upstream, sweepFor, loginsSince } = await atEase();
    broker.rotateSecret('wrong');
    upstream.planned.push('lost', 'lost');
    await broker.rotationEvent();
    await sweepFor(10);

    expect(loginsSince().map(({ outcome }) => outcome)).toEqual([
      'upstream_timeout',
      'upstream_timeout',
      'upstream_credential_rejected',
    ]);
  });

  it.each([
    ['wrong', 3],
    ['good', 13],
  ])(
    'that comes twelve times, %s each time, costs at most the logins of the gate, and one a minute',
    async (kind, most) => {
      const { broker, upstream, time, sweepFor, loginsSince } = await atEase();
      const began = time.now();
      for (let n = 0; n < 12; n += 1) {
        if (kind === 'good') upstream.rules.accepted.add(`good-${n}`);
        broker.rotateSecret(`${kind}-${n}`);
        await broker.rotationEvent();
        await broker.rotationEvent();
        await sweepFor(1);
      }
      await sweepFor(10);

      expect(loginsSince().length).toBeLessThanOrEqual(most);
      expect(loginsSince().length).toBeLessThanOrEqual((time.now() - began) / 60_000);
    },
  );

  it('that comes twelve times within a second is two logins: of the first, and a minute later of the last', async () => {
    const { broker, upstream, sweepFor, loginsSince } = await atEase();
    for (let n = 0; n < 12; n += 1) {
      upstream.rules.accepted.add(`good-${n}`);
      broker.rotateSecret(`good-${n}`);
      await broker.rotationEvent();
      if (n === 0) await broker.sweep();
    }
    await sweepFor(5);

    expect(loginsSince().map(({ credential }) => credential)).toEqual(['good-0', 'good-11']);
  });

  it('is told of twelve times at once, by one login', async () => {
    const { broker, world, time, connection, sweepFor, loginsSince } = await atEase();
    const version = broker.rotateSecret('wrong');
    await time.settle(Promise.all(Array.from({ length: 12 }, () => world.rotate(connection, version))));
    await sweepFor(5);
    for (let n = 0; n < 12; n += 1) await broker.rotationEvent();
    await sweepFor(5);

    expect(loginsSince()).toHaveLength(1);
  });

  it('keeps a session alive by slides where it was refused', async () => {
    const { broker, upstream, advance, record } = harness({ connection: workforceConnection() });
    await broker.handOut();
    broker.rotateSecret('wrong');
    await broker.rotationEvent();
    for (let minute = 0; minute < 60; minute += 1) {
      await broker.sweep();
      await advance({ seconds: 60 });
    }

    expect(upstream.logins).toHaveLength(2);
    expect(upstream.slides.length).toBeGreaterThan(3);
    expect(record().refusedVersion).toBe('version-2');
    expect((await broker.handOut()).source).toBe('cache');
  });

  it('is proven by a login, not by a slide, where the slot is due for one', async () => {
    const { broker, ledger, advance } = harness({ connection: workforceConnection() });
    await broker.handOut();
    await advance({ seconds: 700 });
    broker.rotateSecret('wrong');
    await broker.rotationEvent();
    await broker.sweep();

    expect(ledger.map(({ kind, credential }) => [kind, credential])).toEqual([
      ['login', 'right'],
      ['login', 'wrong'],
    ]);
  });

  it('is proven by the login that finds it, if no event comes', async () => {
    const { broker, sweepFor, refusals, loginsSince, advance } = await atEase();
    broker.rotateSecret('wrong');
    await advance({ minutes: 2 });
    expect((await broker.refusal({ subject: '41' })).code).toBe('upstream_credential_rejected');
    expect(refusals()).toBe(1);
    await broker.rotationEvent();
    await sweepFor(5);

    expect(loginsSince()).toHaveLength(1);
  });
});

describe('an event that brings no other version (invariant 29)', () => {
  it.each([
    ['refused', 'upstream_credential_rejected', 60],
    ['unclear', 'upstream_login_ambiguous', 30],
  ])('ends no back-off where a login was %s, and has nobody log in: twelve times', async (_what, code, seconds) => {
    const { broker, upstream, advance, record } = harness();
    if (code === 'upstream_login_ambiguous') upstream.planned.push('broken');
    else upstream.rules.accepted.clear();
    expect((await broker.refusal()).code).toBe(code);
    for (let n = 0; n < 12; n += 1) {
      await broker.rotationEvent();
      await broker.sweep();
      await broker.refusal();
      await advance({ seconds: seconds / 12 });
    }

    expect(upstream.logins).toHaveLength(1);
    expect(record().unprovenVersion).toBeUndefined();
  });

  it('touches no lock, whatever the version', async () => {
    const { broker, upstream, advance } = harness();
    upstream.rules.lockedAfter = 1;
    upstream.rules.accepted.clear();
    await broker.refusal();
    broker.rotateSecret('second');
    await broker.rotationEvent();
    await advance({ seconds: 11 });
    expect((await broker.refusal()).code).toBe('upstream_account_locked');
    const { length } = upstream.logins;
    for (let n = 0; n < 12; n += 1) {
      broker.rotateSecret(`value ${n}`);
      await broker.rotationEvent();
      await broker.sweep();
      await broker.refusal();
      await advance({ minutes: 2 });
    }

    expect(upstream.logins).toHaveLength(length);
  });
});
