import { afterAll, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { waitUntil } from '../system/wait-until.ts';
import { startControlledBroker } from './controlled-broker.ts';
import { openSharedBrokers } from './shared-brokers.ts';

const upstream = await startDemoHelpmaster();
const shared = await openSharedBrokers({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: upstream.baseUrl, memorySeconds: 0, renewalCooldownSeconds: 0 },
  },
  secrets: { helpdesk: demoHelpmasterSecret },
});
const throttled = await startControlledBroker(shared.flags);
const other = await shared.start();
afterAll(async () => {
  await throttled.stop();
  await shared.close();
  await upstream.close();
});

const logins = () => upstream.ledger().logins.length;

it('a throttled `mint` costs no login and a second of waiting, whichever process is asked next', async () => {
  await throttled.control({ lambda: 'throttle' });
  const refused = await throttled.api.token('helpdesk', 'system');
  expect(gistOf(refused)).toBe('503 mint_unavailable');
  expect(refused.headers['retry-after']).toBe('1');
  // The back-off is the slot's, not the process's.
  const next = await other.api.token('helpdesk', 'system');
  expect([gistOf(next), next.json['cause']]).toEqual(['503 cooldown', 'mint_unavailable']);
  expect(logins()).toBe(0);

  const ask = async () => {
    const answer = await other.api.token('helpdesk', 'system');
    return answer.status === 200 ? answer : undefined;
  };
  const served = await waitUntil('token', ask, { withinMs: 5_000 });
  expect(gistOf(served)).toBe('200 login');
  // A process whose `mint` is still throttled hands out the token that another process minted.
  const cached = await throttled.api.token('helpdesk', 'system');
  expect(gistOf(cached)).toBe('200 cache');
  expect(tokenOf(cached)).toBe(tokenOf(served));
  expect(logins()).toBe(1);
});

it('invariant 18: a throttled renewal answers its failure, others go on getting the token, and it heals by itself', async () => {
  await throttled.control({ lambda: 'throttle' });
  const before = await other.api.token('helpdesk', 'system');
  const count = logins();
  expect(gistOf(await throttled.api.reject('helpdesk', 'system', tokenOf(before)))).toBe('503 mint_unavailable');
  expect(gistOf(await other.api.token('helpdesk', 'system'))).toBe('200 cache');
  expect(logins()).toBe(count);

  await throttled.control({ lambda: 'none' });
  const renewed = await waitUntil('renewed token', async () => {
    const answer = await throttled.api.reject('helpdesk', 'system', tokenOf(before));
    return answer.status === 200 ? answer : undefined;
  });
  expect(renewed.json).toMatchObject({ source: 'login', generation: Number(before.json['generation']) + 1 });
  expect(logins()).toBe(count + 1);
});
