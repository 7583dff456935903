import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { send } from '../local/demo/demo-client.ts';
import { type Answer, gistOf, headersOf } from './api-client.ts';
import { type OwnBroker, startOwnBroker } from './own-broker.ts';

// A process of its own starts slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const SECOND_MS = 1000;
/** Short lives, cut so that a token is due long before it stops being handed out 5 s before its end. */
const SLID_LIFE_SECONDS = 12;
const OUTAGE_LIFE_SECONDS = 20;
const shortLived = { minTtlSeconds: 0, memorySeconds: 0 };

/** Callers who ask every 150 ms, until `seconds` are over or the token is of this generation; all answers, in order. */
async function callersAbout(
  own: OwnBroker,
  connection: string,
  subject: string,
  { seconds, generation = Number.POSITIVE_INFINITY }: { readonly seconds: number; readonly generation?: number },
) {
  const answers: (Answer & { readonly tookMs: number })[] = [];
  const until = performance.now() + seconds * SECOND_MS;
  while (performance.now() < until) {
    const began = performance.now();
    const answer = await own.api.token(connection, subject);
    answers.push({ ...answer, tookMs: performance.now() - began });
    if (Number(answer.json['generation']) >= generation) break;
    await sleep(150);
  }
  return answers;
}

const generationsOf = (answers: readonly Answer[]) => answers.map(({ json }) => Number(json['generation']));

/** The metrics and log lines of the functions that name a connection. */
function linesAbout(own: OwnBroker, connection: string): readonly string[] {
  return own.broker
    .stderr()
    .split('\n')
    .filter((line) => line.includes(`"connection":"${connection}"`));
}

describe.concurrent('with the schedule running and callers about', () => {
  let slid: Awaited<ReturnType<typeof startDemoCommunity>>;
  let relogged: Awaited<ReturnType<typeof startDemoCommunity>>;
  let downCommunity: Awaited<ReturnType<typeof startDemoCommunity>>;
  let downHelpmaster: Awaited<ReturnType<typeof startDemoHelpmaster>>;
  let idle: Awaited<ReturnType<typeof startDemoCommunity>>;
  let own: OwnBroker;

  beforeAll(async () => {
    slid = await startDemoCommunity({ knobs: { lifetimeSeconds: SLID_LIFE_SECONDS } });
    relogged = await startDemoCommunity({ knobs: { lifetimeSeconds: SLID_LIFE_SECONDS } });
    idle = await startDemoCommunity({ knobs: { lifetimeSeconds: SLID_LIFE_SECONDS } });
    downCommunity = await startDemoCommunity({ knobs: { lifetimeSeconds: OUTAGE_LIFE_SECONDS } });
    downHelpmaster = await startDemoHelpmaster({ knobs: { lifetimeSeconds: OUTAGE_LIFE_SECONDS } });
    const community = (upstream: typeof slid, lifetimeSeconds: number) => ({
      provider: 'community-web-api',
      baseUrl: upstream.baseUrl,
      lifetimeSeconds,
      ...shortLived,
    });
    own = await startOwnBroker({
      connections: {
        slid: { ...community(slid, SLID_LIFE_SECONDS), keepAlivePath: '/SingleRecurringEvent', refreshAfter: 0.25 },
        relogged: { ...community(relogged, SLID_LIFE_SECONDS), refreshAfter: 0.25 },
        idle: { ...community(idle, SLID_LIFE_SECONDS), refreshAfter: 0.25, idleSeconds: 1 },
        down_wfm: {
          ...community(downCommunity, OUTAGE_LIFE_SECONDS),
          keepAlivePath: '/SingleRecurringEvent',
          refreshAfter: 0.1,
        },
        down_helpdesk: {
          provider: 'helpmaster',
          baseUrl: downHelpmaster.baseUrl,
          maxTokenAgeSeconds: OUTAGE_LIFE_SECONDS,
          refreshAfter: 0.1,
          ...shortLived,
        },
      },
      secrets: {
        slid: demoCommunitySecret,
        relogged: demoCommunitySecret,
        idle: demoCommunitySecret,
        down_wfm: demoCommunitySecret,
        down_helpdesk: demoHelpmasterSecret,
      },
      flags: ['--refresh-every', '1'],
    });
  });
  afterAll(async () => {
    await own.close();
    await Promise.all([slid, relogged, idle, downCommunity, downHelpmaster].map((upstream) => upstream.close()));
  });

  it('C15, C17, C20: a Community session outlives its token by slides alone, and nobody waits', async () => {
    expect(gistOf(await own.api.token('slid', 'system'))).toBe('200 login');
    const answers = await callersAbout(own, 'slid', 'system', { seconds: SLID_LIFE_SECONDS + 1 });

    expect(new Set(answers.map(gistOf))).toEqual(new Set(['200 cache']));
    expect(generationsOf(answers)).toEqual(generationsOf(answers).toSorted((a, b) => a - b));
    expect(generationsOf(answers).at(-1)).toBeGreaterThanOrEqual(3);
    expect(slid.ledger().logins).toHaveLength(1);
    expect(slid.ledger().slides.length).toBeGreaterThanOrEqual(2);
    expect(linesAbout(own, 'slid').filter((line) => line.includes('WaitForMint'))).toEqual([]);

    const last = answers.at(-1);
    expect(last).toBeDefined();
    const call = await send(`${slid.baseUrl}/AgentLogonReport`, { headers: last === undefined ? {} : headersOf(last) });
    expect(call.status).toBe(200);
    // C11: attributes come at login only, and say as of when.
    expect(last?.json['attributes']).toMatchObject({ agentId: 4711 });
    expect(last?.json['attributes']).not.toMatchObject({ asOf: last?.json['issued_at'] });
  });

  it('C20: without a keep-alive path it logs in again before expiry, and nobody waits', async () => {
    expect(gistOf(await own.api.token('relogged', 'system'))).toBe('200 login');
    const answers = await callersAbout(own, 'relogged', 'system', { seconds: SLID_LIFE_SECONDS + 1 });
    expect(new Set(answers.map(gistOf))).toEqual(new Set(['200 cache']));
    expect(relogged.ledger().slides).toEqual([]);
    const last = generationsOf(answers).at(-1) ?? 0;
    expect(last).toBeGreaterThanOrEqual(3);
    // One login a token; the next may have come after the last answer.
    expect(relogged.ledger().logins.length - last).toBeOneOf([0, 1]);
    expect(linesAbout(own, 'relogged').filter((line) => line.includes('WaitForMint'))).toEqual([]);
  });

  it('C20: a slot that nobody asks for is left to end, and served again when somebody does', async () => {
    expect(gistOf(await own.api.token('idle', 'system'))).toBe('200 login');
    await sleep(8 * SECOND_MS);
    expect(idle.ledger().logins).toHaveLength(1);
    expect(gistOf(await own.api.token('idle', 'system'))).toBe('200 login');
  });

  it.each([
    ['down_wfm', 'system', { callStatus: 503 }, { callStatus: null }, () => downCommunity],
    ['down_helpdesk', '88', { loginStatus: 503 }, { loginStatus: null }, () => downHelpmaster],
  ] as const)(
    'H15, invariants 11, 12, 18: %s/%s is down for a while after refreshAt, and no caller notices',
    async (connection, subject, down, up, upstreamOf) => {
      const upstream = upstreamOf();
      const askedOf = () => {
        const { logins, calls } = upstream.ledger();
        return [...logins, ...calls];
      };
      expect(gistOf(await own.api.token(connection, subject))).toBe('200 login');
      upstream.setKnobs(down);

      const during = await callersAbout(own, connection, subject, { seconds: 5 });
      expect(new Set(during.map(gistOf))).toEqual(new Set(['200 cache']));
      expect(new Set(generationsOf(during))).toEqual(new Set([1]));
      const attempts = askedOf().filter(({ status }) => status === 503);
      expect(attempts.length).toBeGreaterThanOrEqual(1);
      // Backing off from 1 s, doubling: at most this many in the 5 s.
      expect(attempts.length).toBeLessThanOrEqual(5);
      expect(Math.max(...during.map(({ tookMs }) => tookMs))).toBeLessThan(2 * SECOND_MS);

      upstream.setKnobs(up);
      const after = await callersAbout(own, connection, subject, { seconds: 9, generation: 2 });
      expect(new Set(after.map(gistOf))).toEqual(new Set(['200 cache']));
      expect(generationsOf(after).at(-1)).toBeGreaterThanOrEqual(2);
    },
  );
});
