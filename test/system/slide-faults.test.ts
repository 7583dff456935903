import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommunityKnobs, demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { type Answer, gistOf, slotsOf, tokenOf } from './api-client.ts';
import { useStillTime } from './still-time.ts';
import { startSystemUnderTest } from './system-under-test.ts';

/** Answers to a keep-alive that say nothing of the session: the old token stays, with its old end. */
const keepsOld: readonly (readonly [string, Partial<CommunityKnobs>, string])[] = [
  ['C19: 403', { callStatus: 403 }, 'upstream_subject_rejected'],
  ['500', { callStatus: 500 }, 'upstream_unavailable'],
  ['503', { callStatus: 503 }, 'upstream_unavailable'],
  ['429', { callStatus: 429 }, 'upstream_throttled'],
  ['a reset after it read', { reset: 'after' }, 'upstream_outcome_unknown'],
  ['a hang', { hang: true }, 'upstream_timeout'],
];

/** Cases that make the broker log in again, once. */
const logsIn: readonly (readonly [string, Partial<CommunityKnobs>, number])[] = [
  ['C16: no header', { slide: 'missing' }, 200],
  ['C16: an empty header', { slide: 'empty' }, 200],
  ['C16: two different tokens', { slide: 'conflicting' }, 200],
  ['C16: the same token again', { slide: 'same' }, 200],
  ['C19: a session that was ended early', { revokeIssued: true }, 401],
  ['C20: a session that may not be slid any further', { maxSlides: 0 }, 401],
];

/** Cases that still renew the token. */
const slides: readonly (readonly [string, Partial<CommunityKnobs>])[] = [
  ['C15: one new token', {}],
  ['C16: one new token, said twice', { slide: 'repeated' }],
];

interface Faulty {
  readonly upstream: Awaited<ReturnType<typeof startDemoCommunity>>;
  /** The answer before the slide. */
  readonly first: Answer;
}

describe('an upstream that misbehaves at a slide', async () => {
  const time = useStillTime();
  const all = [...keepsOld, ...logsIn, ...slides].map(([, knobs], index) => ({ name: `wfm-${index}`, knobs }));
  const faulty = new Map<string, Faulty>();
  // Each case has a connection of its own: all get a token, and one sweep slides them when they are due.
  const upstreams = await Promise.all(all.map(() => startDemoCommunity()));
  const connectionTo = ({ baseUrl }: Faulty['upstream'], { hang = false }: Partial<CommunityKnobs>) => ({
    provider: 'community-web-api',
    baseUrl,
    keepAlivePath: '/SingleRecurringEvent',
    memorySeconds: 0,
    // Short only where the upstream is to be waited for in vain.
    ...(hang && { timeoutSeconds: 1 }),
  });
  const entries = upstreams.map((upstream, index) => ({ upstream, ...(all[index] ?? { name: '', knobs: {} }) }));
  const system = await startSystemUnderTest({
    connections: Object.fromEntries(entries.map(({ name, upstream, knobs }) => [name, connectionTo(upstream, knobs)])),
    secrets: Object.fromEntries(entries.map(({ name }) => [name, demoCommunitySecret])),
  });
  beforeAll(async () => {
    for (const { name, upstream, knobs } of entries) {
      faulty.set(name, { upstream, first: await system.api.token(name, 'system') });
      upstream.setKnobs(knobs);
    }
    const dueAt = [...faulty.values()].map(({ first }) => Date.parse(String(first.json['refresh_at'])));
    time.advanceTo(Math.max(...dueAt) + 1_000);
    await system.controls.sweep();
  });
  afterAll(async () => {
    await system.close();
    await Promise.all([...faulty.values()].map(({ upstream }) => upstream.close()));
  });

  function faultyOf(name: string): Faulty {
    const found = faulty.get(name);
    if (found === undefined) throw new Error(`There is no upstream ${name}.`);
    expect(gistOf(found.first)).toBe('200 login');
    return found;
  }

  const casesFrom = <Case extends readonly unknown[]>(start: number, cases: readonly Case[]) =>
    cases.map((fault, index) => [`wfm-${start + index}`, ...fault] as const);

  it.each(casesFrom(0, keepsOld))(
    '%s, %s: the old token and its end stay (%j → %s)',
    async (name, _what, _knobs, code) => {
      const { upstream, first } = faultyOf(name);
      const [slot] = slotsOf(await system.api.connections(name));
      expect(slot).toMatchObject({ generation: 1, last_error: { code } });
      const after = await system.api.token(name, 'system');
      expect(gistOf(after)).toBe('200 cache');
      expect(after.json['expires_at']).toBe(first.json['expires_at']);
      expect(tokenOf(after)).toBe(tokenOf(first));
      expect(upstream.ledger().logins).toHaveLength(1);
    },
  );

  it.each(casesFrom(keepsOld.length, logsIn))(
    '%s, %s (%j, %i): one login, under the same lease',
    async (name, _what, _knobs, status) => {
      const { upstream, first } = faultyOf(name);
      const renewed = await system.api.token(name, 'system');
      expect(renewed.json).toMatchObject({ source: 'cache', generation: 2 });
      expect(tokenOf(renewed)).not.toBe(tokenOf(first));
      const { logins, calls } = upstream.ledger();
      expect(logins.map(({ status }) => status)).toEqual([200, 200]);
      expect(calls.map((call) => call.status)).toEqual([status]);
    },
  );

  it.each(casesFrom(keepsOld.length + logsIn.length, slides))(
    '%s, %s: the next token, with a life of its own and no login',
    async (name) => {
      const { upstream, first } = faultyOf(name);
      const renewed = await system.api.token(name, 'system');
      const endOf = (answer: Answer) => Date.parse(String(answer.json['expires_at']));
      expect(endOf(renewed)).toBeGreaterThan(endOf(first));
      expect(tokenOf(renewed)).not.toBe(tokenOf(first));
      expect(renewed.json).toMatchObject({ source: 'cache', generation: 2 });
      expect(upstream.ledger().logins).toHaveLength(1);
    },
  );
});
