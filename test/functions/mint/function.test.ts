import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { VARIABLES } from '../../../functions/composition/environment.ts';
import * as changes from '../../../functions/core/slot/changes.ts';
import { writePurged } from '../../../functions/core/slot/purged-token.ts';
import { slotOf } from '../../../functions/core/slot/slot.ts';
import { composeWarmMintFunction } from '../../../functions/mint/function.ts';
import { createLambdaContext } from '../../../local/lambda/lambda-context.ts';
import { startFunctionsUnderTest } from '../api/functions-under-test.ts';
import { sealedToken } from '../core/slot/every-change.ts';

const broker = await startFunctionsUnderTest(({ helpmaster, community }) => ({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster },
    wfm: { provider: 'community-web-api', baseUrl: community },
    shared_one: { provider: 'helpmaster', baseUrl: helpmaster, isolation: 'shared' },
    shared_two: { provider: 'helpmaster', baseUrl: helpmaster, isolation: 'shared' },
  },
}));
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

function requestFor(connection: string, subject: string) {
  const own = broker.configuration.connections[connection];
  if (own === undefined) throw new Error(`There is no connection ${connection}.`);
  return { ...slotOf(own, subject), trigger: 'caller' as const };
}

/** Takes the slot's lease as a caller's function does. */
async function lease(connection: string, subject: string, takenAt = Date.now()) {
  const { trigger: _, ...slot } = requestFor(connection, subject);
  const id = randomUUID();
  const seen = await broker.store.read(slot, { consistent: true });
  const claim = changes.acquire({
    leaseId: id,
    now: takenAt,
    leaseUntil: takenAt + 17_000,
    notBefore: takenAt + 30_000,
    ttlSeconds: Math.ceil(takenAt / 1000) + 86_400,
    seen,
  });
  expect(await broker.store.write(slot, claim)).toBe(true);
  broker.downstream();
  return { id, takenAt };
}

describe('mint', () => {
  it('has read a slot and the secret of its own group before the first request, and logs in with no other reading', async () => {
    const environment = { ...broker.environment, [VARIABLES.isolation]: 'wfm' };
    const output = new Writable({ write: (_line, _encoding, done) => done() });
    const handler = await composeWarmMintFunction({ environment, output });
    expect(broker.downstream()).toEqual({ 'dynamodb.GetItem': 1, 'secretsmanager.GetSecretValue': 1 });

    const request = { ...requestFor('wfm', 'system'), lease: await lease('wfm', 'system') };
    const context = createLambdaContext({ functionName: 'mint', requestId: 'r', timeoutMs: 20_000, now: Date.now });
    expect(await handler(request, context)).toMatchObject({ outcome: 'published', source: 'login' });
    expect(broker.downstream()).not.toHaveProperty(['secretsmanager.GetSecretValue']);
  });

  it('logs in once under the lease it is given, and answers without a token', async () => {
    const request = { ...requestFor('helpdesk', '88'), lease: await lease('helpdesk', '88') };
    const reply = await broker.run('mint-helpdesk', request);
    expect(reply).toEqual({ outcome: 'published', generation: 1, source: 'login' });
    expect(broker.downstream()).toMatchObject({
      logins: 1,
      'secretsmanager.GetSecretValue': 1,
      'kms.GenerateDataKey': 1,
    });
  });

  it('invariant 3: answers busy to a second invocation under one lease, and sends nothing', async () => {
    const request = { ...requestFor('helpdesk', '1'), lease: await lease('helpdesk', '1') };
    const replies = await Promise.all([broker.run('mint-helpdesk', request), broker.run('mint-helpdesk', request)]);
    expect(replies).toContainEqual({ outcome: 'published', generation: 1, source: 'login' });
    expect(replies).toContainEqual({ outcome: 'busy' });
    expect(broker.downstream()['logins']).toBe(1);
    expect(await broker.run('mint-helpdesk', request)).toEqual({ outcome: 'busy' });
    expect(broker.downstream()['logins']).toBeUndefined();
  });

  it('answers busy where the lease is another, or too old to begin under', async () => {
    const request = requestFor('helpdesk', '42');
    const taken = await lease('helpdesk', '42');
    expect(await broker.run('mint-helpdesk', { ...request, lease: { ...taken, id: randomUUID() } })).toEqual({
      outcome: 'busy',
    });
    const late = { ...taken, takenAt: taken.takenAt - 60_000 };
    expect(await broker.run('mint-helpdesk', { ...request, lease: late })).toEqual({ outcome: 'busy' });
    expect(broker.downstream()['logins']).toBeUndefined();
  });

  it.each(['schedule', 'reader'])('has nothing to do for a slot that nobody ever asked for (%s)', async (trigger) => {
    expect(await broker.run('mint-helpdesk', { ...requestFor('helpdesk', '7'), trigger })).toEqual({ outcome: 'idle' });
    expect(broker.downstream()).toEqual({ 'dynamodb.GetItem': 1 });
  });

  it('leaves a token alone that is not due', async () => {
    await broker.call({ path: '/tokens/wfm/system' });
    broker.downstream();
    const request = { ...requestFor('wfm', 'system'), trigger: 'schedule' };
    expect(await broker.run('mint-wfm', request)).toEqual({ outcome: 'current' });
    expect(broker.downstream()['logins']).toBeUndefined();
  });

  it('serves every connection of its isolation group', async () => {
    for (const connection of ['shared_one', 'shared_two']) {
      const request = { ...requestFor(connection, '88'), lease: await lease(connection, '88') };
      expect(await broker.run('mint-shared', request)).toMatchObject({ outcome: 'published' });
    }
  });
});

describe('mint, asked to log out', () => {
  const purged = writePurged(1, sealedToken);

  it('answers nothing, and sends nothing where the provider has no logout', async () => {
    const { connection, subject, fingerprint } = requestFor('helpdesk', '88');
    const logout = { connection, subject, fingerprint, trigger: 'purge', purged };
    expect(await broker.run('mint-helpdesk', logout)).toBeUndefined();
    expect(broker.downstream()).toEqual({});
    expect(broker.log().at(-1)).toMatchObject({ level: 'WARN', why: 'the connection has changed' });
  });

  it('serves the connections of its own group alone', async () => {
    const { connection, subject, fingerprint } = requestFor('wfm', 'system');
    const logout = broker.run('mint-helpdesk', { connection, subject, fingerprint, trigger: 'purge', purged });
    await expect(logout).rejects.toThrow(/isolation group/);
    expect(broker.downstream()).toEqual({});
  });
});

describe('mint refuses, and runs nothing downstream', () => {
  it.each([
    ['mint-helpdesk', 'wfm'],
    ['mint-wfm', 'helpdesk'],
    ['mint-shared', 'helpdesk'],
    ['mint-helpdesk', 'shared_one'],
  ] as const)('%s: the connection %s of another group', async (name, connection) => {
    const refused = broker.run(name, requestFor(connection, 'system'));
    await expect(refused).rejects.toThrow(/isolation group/);
    expect(broker.downstream()).toEqual({});
  });

  const good = {
    connection: 'helpdesk',
    subject: '88',
    fingerprint: '0123456789abcdef',
    trigger: 'caller',
    lease: { id: 'one', takenAt: 1 },
  };
  it.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'helpdesk'],
    ['an empty object', {}],
    ['no subject', { ...good, subject: undefined }],
    ['a subject that is a number', { ...good, subject: 88 }],
    ['an unknown trigger', { ...good, trigger: 'somebody' }],
    ['a lease without its time', { ...good, lease: { id: 'one' } }],
    ['a lease with more', { ...good, lease: { id: 'one', takenAt: 1, forced: true } }],
    ['a member too many', { ...good, token: 'x' }],
    ['a logout without its token', { ...good, lease: undefined, trigger: 'purge' }],
    ['a logout with a lease', { ...good, trigger: 'purge', purged: writePurged(1, sealedToken) }],
    ['a token that is no logout', { ...good, purged: writePurged(1, sealedToken) }],
    ['__proto__ for a connection', { ...good, connection: '__proto__' }],
    ['a connection that is not configured', { ...good, connection: 'nowhere' }],
  ])('%s', async (_what, event) => {
    await expect(broker.run('mint-helpdesk', event)).rejects.toThrow();
    expect(broker.downstream()).toEqual({});
  });

  it('a fingerprint of other times, whose secret or address may be another by now', async () => {
    const stale = { ...requestFor('helpdesk', '88'), fingerprint: '0123456789abcdef', trigger: 'schedule' };
    expect(await broker.run('mint-helpdesk', stale)).toEqual({ outcome: 'idle' });
    const leased = { ...stale, trigger: 'caller', lease: { id: 'one', takenAt: Date.now() } };
    expect(await broker.run('mint-helpdesk', leased)).toEqual({ outcome: 'busy' });
    expect(broker.downstream()['logins']).toBeUndefined();
  });
});
