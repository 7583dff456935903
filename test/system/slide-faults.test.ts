import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CommunityKnobs, demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { gistOf, slotsOf, tokenOf } from './api-client.ts';
import { type OwnBroker, startOwnBroker } from './own-broker.ts';
import { waitUntil } from './wait-until.ts';

// A process of its own starts slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const LIFE_SECONDS = 16;
/** The token is due after about a second and good for 11; the schedule looks each second. */
const connection = {
  provider: 'community-web-api',
  lifetimeSeconds: LIFE_SECONDS,
  keepAlivePath: '/SingleRecurringEvent',
  refreshAfter: 0.08,
  minTtlSeconds: 0,
  memorySeconds: 0,
  timeoutSeconds: 2,
};

/** What a keep-alive answers that brings no token: the old one stays, with its old end. */
const keepsOld: readonly (readonly [string, Partial<CommunityKnobs>, string])[] = [
  ['C16: no header', { slide: 'missing' }, 'upstream_invalid_response'],
  ['C16: an empty header', { slide: 'empty' }, 'upstream_invalid_response'],
  ['C16: two different tokens', { slide: 'conflicting' }, 'upstream_invalid_response'],
  ['C16: the same token again', { slide: 'same' }, 'upstream_invalid_response'],
  ['C19: 403', { callStatus: 403 }, 'upstream_subject_rejected'],
  ['500', { callStatus: 500 }, 'upstream_unavailable'],
  ['503', { callStatus: 503 }, 'upstream_unavailable'],
  ['429', { callStatus: 429 }, 'upstream_throttled'],
  ['a reset after it read', { reset: 'after' }, 'upstream_outcome_unknown'],
  ['a hang', { hang: true }, 'upstream_timeout'],
];

/** What makes the broker log in again, once. */
const logsIn: readonly (readonly [string, Partial<CommunityKnobs>])[] = [
  ['C19: a session that was ended early (401)', { revokeIssued: true }],
  ['C20: a session that may not be slid any further (401)', { maxSlides: 0 }],
];

/** What still renews. */
const slides: readonly (readonly [string, Partial<CommunityKnobs>])[] = [
  ['C15: one new token', {}],
  ['C16: one new token, said twice', { slide: 'repeated' }],
];

describe.concurrent('an upstream that misbehaves at a slide', () => {
  const upstreams = new Map<string, Awaited<ReturnType<typeof startDemoCommunity>>>();
  const names = [...keepsOld, ...logsIn, ...slides, 'warm'].map((_, index) => `wfm-${index}`);
  let own: OwnBroker;

  beforeAll(async () => {
    for (const name of names) {
      upstreams.set(name, await startDemoCommunity({ knobs: { lifetimeSeconds: LIFE_SECONDS } }));
    }
    own = await startOwnBroker({
      connections: Object.fromEntries([...upstreams].map(([name, { baseUrl }]) => [name, { ...connection, baseUrl }])),
      secrets: Object.fromEntries(names.map((name) => [name, demoCommunitySecret])),
      flags: ['--refresh-every', '1'],
    });
    // The first request of a process is its slowest, and these tests are about time.
    await own.api.token(names.at(-1) ?? '', 'system');
  });
  afterAll(async () => {
    await own.close();
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
  });

  /** Gets a token, then sets the knobs. */
  async function begin(name: string, knobs: Partial<CommunityKnobs>) {
    const upstream = upstreams.get(name);
    if (upstream === undefined) throw new Error(`There is no upstream ${name}.`);
    const first = await own.api.token(name, 'system');
    expect(gistOf(first)).toBe('200 login');
    upstream.setKnobs(knobs);
    return { upstream, first };
  }

  const slotOf = async (name: string) => slotsOf(await own.api.connections(name))[0];

  it.each(keepsOld.map((fault, index) => [names[index] ?? '', ...fault] as const))(
    '%s, %s: the old token and its end stay (%j → %s)',
    async (name, _what, knobs, code) => {
      const { upstream, first } = await begin(name, knobs);
      const noted = await waitUntil('note of the failure', 8_000, async () => {
        const slot = await slotOf(name);
        return slot?.['last_error'] === null ? undefined : slot;
      });
      expect(noted).toMatchObject({ generation: 1, last_error: { code } });
      const after = await own.api.token(name, 'system');
      expect(gistOf(after)).toBe('200 cache');
      expect(after.json['expires_at']).toBe(first.json['expires_at']);
      expect(tokenOf(after)).toBe(tokenOf(first));
      expect(upstream.ledger().logins).toHaveLength(1);
    },
  );

  it.each(logsIn.map((fault, index) => [names[keepsOld.length + index] ?? '', ...fault] as const))(
    '%s, %s: one login, under the same lease',
    async (name, _what, knobs) => {
      const { upstream, first } = await begin(name, knobs);
      const renewed = await waitUntil('next token', 8_000, async () => {
        const answer = await own.api.token(name, 'system');
        expect(answer.status).toBe(200);
        return answer.json['generation'] === 1 ? undefined : answer;
      });
      expect(tokenOf(renewed)).not.toBe(tokenOf(first));
      const { logins, calls } = upstream.ledger();
      expect(logins.map(({ status }) => status)).toEqual([200, 200]);
      expect(calls.map(({ status }) => status)).toEqual([401]);
    },
  );

  it.each(slides.map((fault, index) => [names[keepsOld.length + logsIn.length + index] ?? '', ...fault] as const))(
    '%s, %s: the next token, with a life of its own and no login',
    async (name, _what, knobs) => {
      const { upstream, first } = await begin(name, knobs);
      // Ends are given in whole seconds, and the first slide may fall within the second of the login: so wait for later.
      const endOf = (answer: typeof first) => Date.parse(String(answer.json['expires_at']));
      const renewed = await waitUntil('token that ends later', 8_000, async () => {
        const answer = await own.api.token(name, 'system');
        return endOf(answer) > endOf(first) ? answer : undefined;
      });
      expect(tokenOf(renewed)).not.toBe(tokenOf(first));
      expect(renewed.json['generation']).not.toBe(1);
      expect(upstream.ledger().logins).toHaveLength(1);
    },
  );

  it('C15: does not slide before the token is due', async () => {
    const upstream = await startDemoCommunity();
    const calm = await startOwnBroker({
      connections: {
        wfm: { provider: 'community-web-api', baseUrl: upstream.baseUrl, keepAlivePath: '/SingleRecurringEvent' },
      },
      secrets: { wfm: demoCommunitySecret },
      flags: ['--refresh-every', '0.5'],
    });
    try {
      await calm.api.token('wfm', 'system');
      await sleep(1_600);
      expect(upstream.ledger().calls).toEqual([]);
    } finally {
      await calm.close();
      await upstream.close();
    }
  });
});
