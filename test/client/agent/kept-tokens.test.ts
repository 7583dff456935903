import type { ServerResponse } from 'node:http';
import { afterAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createKeptTokens } from '../../../client/agent/kept-tokens.ts';
import { createBrokerApi } from '../../../client/broker-api.ts';
import { createTokenCache } from '../../../client/token-cache.ts';
import { handOutBody, startStub } from '../broker-stub.ts';

const stub = await startStub();
afterAll(() => stub.close());
let now = 0;
beforeEach(() => {
  now = Date.parse('2026-11-22T10:00:00Z');
  stub.requests.length = 0;
  stub.answer((request, response) => {
    const [, , connection, subject] = request.url?.split('/') ?? [];
    response.end(JSON.stringify(handOutBody('token', now, { connection, subject })));
  });
});

function create(maximumSlots = 10) {
  const clock = { now: () => now, sleep: async () => undefined };
  const random = () => 0.5;
  const transport = (request: { method: string; target: string }) => fetch(`${stub.url}${request.target}`);
  const api = createBrokerApi({ transport, clock, random });
  const budget = { attempts: 1, timeoutMs: 10_000 };
  const cache = createTokenCache({ api, budget, clock, random, holdMs: 3_600_000, maximumSlots });
  return createKeptTokens({ cache, clock, maximumSlots });
}
const slot = (subject: number) => ({ connection: 'helpdesk', subject: String(subject) });
const asked = () => stub.requests.length;

it('renews what is due of the slots in use, without a caller', async () => {
  const kept = create();
  await kept.get(slot(1), undefined);
  await kept.renewDue();
  expect(asked()).toBe(1);

  now += 600_000;
  await kept.renewDue();
  expect(asked()).toBe(2);
  now += 600_000;
  await kept.renewDue();
  expect(asked()).toBe(3);
});

it('lets a slot go that nobody has asked for in an hour', async () => {
  const kept = create();
  await kept.get(slot(1), undefined);
  for (let at = 0; at < 12; at += 1) {
    now += 600_000;
    await kept.renewDue();
  }
  expect(asked()).toBe(1 + 6);
});

it('leaves a token that has ended to the next caller', async () => {
  const kept = create();
  await kept.get(slot(1), undefined);
  now += 1_300_000;
  await kept.renewDue();
  expect(asked()).toBe(1);
  expect(await kept.get(slot(1), undefined)).toMatchObject({ isFromMemory: false });
});

it('keeps so many slots and no more, the least recently used go first', async () => {
  const kept = create(3);
  for (const subject of [1, 2, 3, 1, 4]) await kept.get(slot(subject), undefined);
  expect(asked()).toBe(4);
  await kept.get(slot(1), undefined);
  expect(asked()).toBe(4);
  await kept.get(slot(2), undefined);
  expect(asked()).toBe(5);
});

it('survives a broker that fails while it renews', async () => {
  const kept = create();
  await kept.get(slot(1), undefined);
  stub.answer({ status: 500, body: '' });
  now += 600_000;
  await kept.renewDue();
  expect(await kept.get(slot(1), undefined)).toMatchObject({ isFromMemory: true, held: { token: 'token' } });
});

it('asks the broker for a token that is good for longer than the one that it is renewing', async () => {
  const kept = create();
  await kept.get(slot(1), undefined);
  now += 601_000;
  stub.answer({ body: handOutBody('longer', now, { connection: 'helpdesk', subject: '1' }) });

  expect(await kept.get(slot(1), 900)).toMatchObject({ isFromMemory: false, held: { token: 'longer' } });
});

it('renews eight slots at once and no more, however long the broker takes', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const kept = create(20);
  onTestFinished(kept.renewAhead());
  const waiting: ServerResponse[] = [];
  for (let subject = 1; subject <= 20; subject += 1) {
    if (subject === 11) now += 60_000;
    await kept.get(slot(subject), undefined);
  }
  const before = asked();
  stub.answer((_request, response) => waiting.push(response));
  // The first ten are due, and then the others too.
  for (const ms of [540_000, 60_000]) {
    now += ms;
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => waiting.length).toBe(8);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked() - before).toBe(8);
  }
  stub.answer({ status: 500, body: '' });
  for (const response of waiting) response.writeHead(500).end();
});
