import { afterAll, beforeEach, expect, it } from 'vitest';
import { useStillTime } from '../../system/still-time.ts';
import { startFunctionsUnderTest } from '../api/functions-under-test.ts';

const time = useStillTime();

const broker = await startFunctionsUnderTest(({ helpmaster, community }) => ({
  connections: {
    // Due within a second, and good for 1,000 s.
    due: { provider: 'community-web-api', baseUrl: community, refreshAfter: 0.0001, keepAlivePath: '/Version2' },
    calm: { provider: 'helpmaster', baseUrl: helpmaster },
    idle: { provider: 'community-web-api', baseUrl: community, refreshAfter: 0.0001, idleSeconds: 1 },
  },
}));
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

const NOTHING = { due: 0, begun: 0, backlog: 0, outcomes: {} };

it('looks at each shard of the index and at nothing else where nothing is due', async () => {
  await broker.call({ path: '/tokens/calm/88' });
  broker.downstream();
  expect(await broker.run('refresh', {})).toEqual(NOTHING);
  expect(broker.downstream()).toEqual({ 'dynamodb.Query': 4 });
});

it('C15, C20: slides what is due, whatever event it comes with, and then it is not due any more', async () => {
  await broker.call({ path: '/tokens/due/system' });
  time.advance({ seconds: 1 });
  broker.downstream();
  const event = { source: 'aws.scheduler', id: 'one' };
  expect(await broker.run('refresh', event)).toMatchObject({
    due: 1,
    begun: 1,
    backlog: 0,
    outcomes: { published: 1 },
  });
  expect(broker.downstream()).toMatchObject({ 'lambda.Invoke': 1 });
  expect(broker.community.ledger()).toMatchObject({ logins: [{}], slides: [{}] });
  expect((await broker.call({ path: '/connections/due' })).json['slots']).toMatchObject([{ generation: 2 }]);
});

it('invariant 3: two sweeps at once refresh a slot once', async () => {
  time.advance({ seconds: 1 });
  const slides = broker.community.ledger().slides.length;
  const sweeps = await Promise.all([broker.run('refresh', {}), broker.run('refresh', {})]);
  expect(broker.community.ledger().slides.length).toBe(slides + 1);
  expect(sweeps).toContainEqual(expect.objectContaining({ outcomes: { published: 1 } }));
});

it('C20: takes an idle slot off the schedule without a word to its upstream', async () => {
  await broker.call({ path: '/tokens/idle/system' });
  time.advance({ seconds: 2 });
  const { logins, calls } = broker.community.ledger();
  expect(await broker.run('refresh', {})).toMatchObject({ outcomes: { idle: 1 } });
  expect(broker.community.ledger().logins).toHaveLength(logins.length);
  // At most one slot was refreshed: the one still in use, if it was due again.
  expect(broker.community.ledger().calls.length - calls.length).toBeLessThanOrEqual(1);
  expect(await broker.run('refresh', {})).not.toMatchObject({ outcomes: { idle: 1 } });
});

it('counts the backlog', () => {
  expect(broker.log().findLast((line) => 'RefreshBacklog' in line)).toMatchObject({ RefreshBacklog: 0 });
});

it('fails where the store is down, so that its alarm sees it', async () => {
  broker.dynamodb.set('dynamodb', { mode: 'down' });
  await expect(broker.run('refresh', {}).finally(() => broker.dynamodb.clear())).rejects.toThrow(/store_unavailable/);
  const failed = broker.log().findLast(({ message }) => message === 'An invocation failed.');
  expect(failed).toMatchObject({ service: 'refresh', code: 'store_unavailable' });
});
