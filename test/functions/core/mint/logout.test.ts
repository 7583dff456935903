import { describe, expect, it } from 'vitest';
import { createLogout, type LogoutDependencies } from '../../../../functions/core/mint/logout.ts';
import type { HeldToken } from '../../../../functions/core/mint/upstream.ts';
import { mintWindowMs } from '../../../../functions/core/slot/lease.ts';
import { changeLogins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import { NOT_LOGGED_OUT, writePurged } from '../../../../functions/core/slot/purged-token.ts';
import { hashOf } from '../../../../functions/core/slot/token.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection, withLogout } from '../../../simulation/connections.ts';

/** A slot with a token, of a connection that has a logout. */
async function withToken({ connection = withLogout(helpdeskConnection()), instances = 1 } = {}) {
  const made = harness({ connection, instances });
  const { token } = await made.broker.handOut();
  const { said, upstream, time, advance } = made;
  return {
    ...made,
    token,
    /** The hashes of the tokens that logouts were sent for. */
    sent: () => upstream.logouts.map(({ ends }) => ends),
    isAlive: (hash: string) => upstream.isAlive(hash, time.now()),
    /** What the log says of tokens that were left. */
    left: () => said.lines.flatMap(({ message, fields }) => (message === NOT_LOGGED_OUT ? [fields] : [])),
    settle: () => advance({ seconds: 20 }),
  };
}

describe('the logout of a purged token', () => {
  it('ends that token at the upstream, once, and says so without it', async () => {
    const { broker, token, sent, isAlive, settle, said, record } = await withToken();
    await broker.purge();
    await settle();

    expect(sent()).toEqual([token.hash]);
    expect(isAlive(token.hash)).toBe(false);
    expect(record()).toMatchObject({ generation: 2, tries: 0, notBefore: 0 });
    expect(record().lease).toBeUndefined();
    const lines = said.lines.filter(({ message }) => message === 'A purged token was logged out.');
    const tokenHash = token.hash.slice(0, 12);
    expect(lines.map(({ fields }) => fields)).toEqual([{ connection: 'helpdesk', subject: 'system', tokenHash }]);
    expect(said.metrics.filter(({ name }) => name === 'LogoutLatency')).toHaveLength(1);
    expect(JSON.stringify(said)).not.toContain(token.value.reveal());
  });

  it('is sent for nothing where there is no token, and by no provider without one', async () => {
    const one = await withToken();
    await one.broker.purge();
    await one.settle();
    await one.broker.purge();
    await one.settle();
    expect(one.sent()).toHaveLength(1);

    const other = await withToken({ connection: helpdeskConnection() });
    await other.broker.purge();
    await other.settle();
    expect([other.fleet.asked, other.isAlive(other.token.hash)]).toEqual([[], true]);
  });

  it('hands a message over that holds no token in the clear', async () => {
    const { broker, fleet, token, settle, record } = await withToken();
    const { ciphertext } = record().token ?? {};
    await broker.purge();
    await settle();

    const text = JSON.stringify(fleet.asked);
    expect(text).not.toContain(token.value.reveal());
    expect(text).toContain(Buffer.from(ciphertext ?? []).toString('base64'));
  });

  it('waits for a login in flight, and ends the old token beside the new one', async () => {
    const { broker, token, weather, time, sent, isAlive, settle } = await withToken();
    weather.upstream.answerMs = { least: 2_000, most: 2_000 };
    const asked = broker.start({ rejected: token.hash });
    await time.advance(61_000);
    const again = broker.start({ rejected: token.hash });
    await time.advance(500);
    await broker.purge();
    const handedOut = await time.settle(Promise.allSettled([asked, again]));
    await settle();

    expect(handedOut.at(-1)?.status).toBe('fulfilled');
    const { token: next } = await broker.handOut();
    expect(sent()).toEqual([token.hash]);
    expect([isAlive(token.hash), isAlive(next.hash)]).toEqual([false, true]);
  });

  it('has a caller who comes meanwhile wait, and log in right after', async () => {
    const { broker, weather, time, upstream, ledger, advance } = await withToken();
    await advance({ seconds: 31 });
    weather.upstream.answerMs = { least: 1_000, most: 1_000 };
    await broker.purge();
    await time.advance(200);
    await broker.handOut();

    const [logout] = upstream.logouts;
    const login = ledger.findLast(({ kind }) => kind === 'login');
    expect(login?.at).toBeGreaterThanOrEqual(logout?.endedAt ?? Infinity);
    expect((login?.at ?? Infinity) - (logout?.endedAt ?? 0)).toBeLessThan(1_000);
  });

  it('is not sent where a login has brought the very same token again', async () => {
    const { broker, sent, settle, left, beforeNext, put, record } = await withToken();
    const { token, generation } = record();
    beforeNext('borrow', () => put({ token, generation: generation + 2 }));
    await broker.purge();
    await settle();

    expect(sent()).toEqual([]);
    expect(left()).toHaveLength(1);
  });

  it('is given up on where another has the lease for long', async () => {
    const { broker, heldByAnother, sent, left, settle } = await withToken();
    heldByAnother(17_000);
    await broker.purge();
    await settle();

    expect(sent()).toEqual([]);
    expect(left()).toMatchObject([{ why: 'another has the lease' }]);
  });

  it.each([
    ['unreachable', 'upstream_unreachable'],
    ['lost', 'upstream_timeout'],
  ] as const)('is tried once and forgotten where it fails: %s', async (fault, why) => {
    const { broker, upstream, sent, left, settle, advance, record } = await withToken();
    upstream.planned.push(fault);
    await broker.purge();
    await settle();

    expect(sent()).toHaveLength(1);
    expect(left()).toMatchObject([{ why }]);
    expect(record().lease).toBeUndefined();
    await advance({ seconds: 20 });
    expect((await broker.handOut()).source).toBe('login');
  });

  it.each(['refused', 'lost'] as const)('fails no DELETE where its invocation is %s', async (fault) => {
    const { broker, fleet, left, sent, settle, record } = await withToken();
    fleet.planned.push(fault);
    await broker.purge();
    await settle();

    expect([record().token, sent()]).toEqual([undefined, []]);
    expect(left()).toMatchObject(fault === 'refused' ? [{ why: 'mint_unavailable' }] : []);
  });

  it('is left where another token may have been dropped in place of the one that was read', async () => {
    const { broker, beforeNext, put, record, sent, left, settle } = await withToken();
    const { generation } = record();
    beforeNext('purge', () => put({ generation: generation + 1 }));
    await broker.purge();
    await settle();

    expect(sent()).toEqual([]);
    expect(left()).toHaveLength(1);
  });

  it('is not sent where the stored token does not open', async () => {
    const { broker, putToken, sent, left, settle } = await withToken();
    putToken({ ciphertext: new Uint8Array(40) });
    await broker.purge();
    await settle();

    expect(sent()).toEqual([]);
    expect(left()).toMatchObject([{ why: 'it does not open' }]);
  });
});

/** The logout by itself, before an upstream that notes what it is given. */
async function logout({ needsSecret = false, keepsClosed = false, isGone = false, secretAfterMs = 0 } = {}) {
  const made = await withToken();
  const { operators, slot, record, time, connection, table } = made;
  const given: (HeldToken & { readonly timeoutMs: number })[] = [];
  const upstream: LogoutDependencies['upstream'] = {
    waysOf: () => ({ keepsClosed, ...(!isGone && { logout: { needsSecret } }) }),
    async logout(held) {
      given.push(held);
      return undefined;
    },
  };
  const secrets = {
    async current() {
      await operators.clock.sleep(secretAfterMs);
      return { versionId: 'version-1', value: new Secret('right') };
    },
  };
  const run = createLogout({ ...operators, secrets, upstream });
  const { token, generation } = record();
  if (token === undefined) throw new Error('there is no token');
  const purged = writePurged(generation, token);
  return {
    ...made,
    given,
    run: (change: { readonly fingerprint?: string } = {}, changed = connection) => {
      made.purgeItem();
      return time.settle(run({ ...slot(), trigger: 'purge', purged, ...change }, changed));
    },
    know(standing: 'unproven' | 'refused') {
      const seen = table.logins(connection.name) ?? NO_LOGINS;
      table.writeLogins(connection.name, changeLogins(seen, { ...seen, standing }, time.now()));
    },
  };
}

describe('createLogout', () => {
  it('reads the secret only if the request names it', async () => {
    const plain = await logout();
    await plain.run();
    expect(plain.given).toMatchObject([{ secret: undefined, values: {}, closed: undefined }]);
    expect(hashOf(plain.given[0]?.token ?? new Secret(''))).toBe(plain.token.hash);

    const naming = await logout({ needsSecret: true });
    await naming.run();
    expect(naming.given[0]?.secret?.reveal()).toBe('right');
  });

  it.each(['unproven', 'refused'] as const)(
    'sends no secret whose version is %s: it may count as a login',
    async (standing) => {
      const { run, given, know, left } = await logout({ needsSecret: true });
      know(standing);
      await run();

      expect(given).toEqual([]);
      expect(left()).toMatchObject([{ why: 'the secret has a version that has brought no token' }]);
    },
  );

  it('ends within the window of its invocation, and sends nothing where no time is left', async () => {
    const { connection } = await withToken();
    const windowMs = mintWindowMs(connection);
    const late = await logout({ needsSecret: true, secretAfterMs: windowMs - 2_000 });
    await late.run();
    expect(late.given[0]?.timeoutMs).toBeGreaterThan(500);
    expect(late.given[0]?.timeoutMs).toBeLessThanOrEqual(1_000);

    const tooLate = await logout({ needsSecret: true, secretAfterMs: windowMs - 1_200 });
    await tooLate.run();
    expect([tooLate.given, tooLate.left()]).toMatchObject([[], [{ why: 'getting ready took all the time there was' }]]);
    expect(tooLate.record().lease).toBeUndefined();
  });

  it('sends nothing without the closed values that the session has', async () => {
    const { run, given, left } = await logout({ keepsClosed: true });
    await run();

    expect([given, left()]).toMatchObject([[], [{ why: 'it does not open' }]]);
  });

  it.each([{ isGone: true }, { fingerprint: 'another' }])(
    'sends nothing for a connection that has changed: %j',
    async (change) => {
      const { run, given, left } = await logout(change);
      await run(change);

      expect([given, left()]).toMatchObject([[], [{ why: 'the connection has changed' }]]);
    },
  );

  it.each([
    { tokensOverlap: false },
    { provider: { ...helpdeskConnection().provider, limits: { single: true } } } as const,
  ])('sends nothing after a login where a new token ends the old one: %j', async (change) => {
    const { run, given, left, beforeNext, put, record, connection } = await logout();
    const { token } = record();
    beforeNext('decrypt', () => put({ generation: 3, ...(token && { token: { ...token, hash: 'b' } }) }));
    await run({}, { ...connection, ...change });

    expect([given, left()]).toMatchObject([[], [{ why: 'a later login has brought it again, or ended it' }]]);
  });

  it('sends nothing where the item is gone', async () => {
    const { run, given, left, beforeNext, removeItem } = await logout();
    beforeNext('decrypt', removeItem);
    await run();

    expect([given, left()]).toMatchObject([[], [{ why: 'the slot is gone' }]]);
  });

  it('takes its lease although the reply to the write was lost', async () => {
    const { run, given, failNext, record } = await logout();
    failNext('borrow', 'reply_lost');
    await run();

    expect([given.length, record().lease]).toEqual([1, undefined]);
  });

  it.each(['read', 'borrow'] as const)('says that the store is down at its %s', async (operation) => {
    const { run, given, failNext, left } = await logout();
    failNext(operation, 'down');
    await run();

    expect(left().length + given.length).toBe(1);
  });
});
