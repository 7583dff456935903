import { afterAll, describe, expect, it } from 'vitest';
import { demoCommunitySecret, startDemoCommunity } from '../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { send } from '../local/demo/demo-client.ts';
import { type Answer, gistOf, headersOf } from './api-client.ts';
import { useStillTime } from './still-time.ts';
import { startSystemUnderTest } from './system-under-test.ts';
import { waitUntil } from './wait-until.ts';

const LIFE_SECONDS = 1_200;
const SWEEP_SECONDS = 60;

const time = useStillTime();

const lifetimeSeconds = LIFE_SECONDS;
const [slid, relogged, idle, downCommunity] = await Promise.all([
  startDemoCommunity({ knobs: { lifetimeSeconds } }),
  startDemoCommunity({ knobs: { lifetimeSeconds } }),
  startDemoCommunity({ knobs: { lifetimeSeconds } }),
  startDemoCommunity({ knobs: { lifetimeSeconds } }),
]);
const downHelpmaster = await startDemoHelpmaster({ knobs: { lifetimeSeconds } });
const community = ({ baseUrl }: typeof slid) => ({
  provider: 'community-web-api',
  baseUrl,
  lifetimeSeconds,
  refreshAfter: 0.25,
  memorySeconds: 0,
});
const system = await startSystemUnderTest({
  connections: {
    slid: { ...community(slid), keepAlivePath: '/SingleRecurringEvent' },
    relogged: community(relogged),
    idle: { ...community(idle), idleSeconds: 60 },
    down_wfm: { ...community(downCommunity), keepAlivePath: '/SingleRecurringEvent' },
    down_helpdesk: {
      provider: 'helpmaster',
      baseUrl: downHelpmaster.baseUrl,
      maxTokenAgeSeconds: LIFE_SECONDS,
      refreshAfter: 0.25,
      memorySeconds: 0,
    },
  },
  secrets: {
    slid: demoCommunitySecret,
    relogged: demoCommunitySecret,
    idle: demoCommunitySecret,
    down_wfm: demoCommunitySecret,
    down_helpdesk: demoHelpmasterSecret,
  },
});
afterAll(async () => {
  await system.close();
  await Promise.all([slid, relogged, idle, downCommunity, downHelpmaster].map((upstream) => upstream.close()));
});

/** Callers who ask at each sweep, until the seconds are over or the token is of this generation; all answers, in order. */
async function callersAbout(
  connection: string,
  subject: string,
  {
    seconds,
    everySeconds,
    generation = Number.POSITIVE_INFINITY,
  }: { readonly seconds: number; readonly everySeconds: number; readonly generation?: number },
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let passed = 0; passed < seconds; passed += everySeconds) {
    time.advance({ seconds: everySeconds });
    const [answer] = await Promise.all([system.api.token(connection, subject), system.controls.sweep()]);
    await system.controls.drain();
    answers.push(answer);
    if (Number(answer.json['generation']) >= generation) break;
  }
  return answers;
}

const generationsOf = (answers: readonly Answer[]) => answers.map(({ json }) => Number(json['generation']));

/** The waits for a mint that the functions measured of a connection. */
function waitsOf(connection: string): readonly string[] {
  const lines = system.log().split('\n');
  return lines.filter((line) => line.includes(`"connection":"${connection}"`) && line.includes('WaitForMint'));
}

/** Lets time pass until the token is due. */
function passRefreshOf(answer: Answer): void {
  time.advanceTo(Date.parse(String(answer.json['refresh_at'])) + 1_000);
}

describe('with the schedule running and callers about', () => {
  const aLife = { seconds: LIFE_SECONDS + SWEEP_SECONDS, everySeconds: SWEEP_SECONDS / 2 };

  it('C15, C17, C20: a Community session outlives its token by slides alone, and nobody waits', async () => {
    expect(gistOf(await system.api.token('slid', 'system'))).toBe('200 login');
    const answers = await callersAbout('slid', 'system', aLife);

    expect(new Set(answers.map(gistOf))).toEqual(new Set(['200 cache']));
    expect(generationsOf(answers)).toEqual(generationsOf(answers).toSorted((a, b) => a - b));
    expect(generationsOf(answers).at(-1)).toBeGreaterThanOrEqual(3);
    expect(slid.ledger().logins).toHaveLength(1);
    expect(slid.ledger().slides.length).toBeGreaterThanOrEqual(2);
    expect(waitsOf('slid')).toEqual([]);

    const last = answers.at(-1);
    const call = await send(`${slid.baseUrl}/AgentLogonReport`, { headers: last === undefined ? {} : headersOf(last) });
    expect(call.status).toBe(200);
    // C11: attributes come at login only, and say as of when.
    expect(last?.json['attributes']).toMatchObject({ agentId: 4711 });
    expect(last?.json['attributes']).not.toMatchObject({ asOf: last?.json['issued_at'] });
  });

  it('C20: without a keep-alive path it logs in again before expiry, and nobody waits', async () => {
    expect(gistOf(await system.api.token('relogged', 'system'))).toBe('200 login');
    const answers = await callersAbout('relogged', 'system', aLife);
    expect(new Set(answers.map(gistOf))).toEqual(new Set(['200 cache']));
    expect(relogged.ledger().slides).toEqual([]);
    const last = generationsOf(answers).at(-1) ?? 0;
    expect(last).toBeGreaterThanOrEqual(3);
    // One login a token; the next may have come after the last answer.
    expect(relogged.ledger().logins.length - last).toBeOneOf([0, 1]);
    expect(waitsOf('relogged')).toEqual([]);
  });

  it('C20: a slot that nobody asks for is left to end, and served again when somebody does', async () => {
    expect(gistOf(await system.api.token('idle', 'system'))).toBe('200 login');
    for (let passed = 0; passed < LIFE_SECONDS; passed += SWEEP_SECONDS) {
      time.advance({ seconds: SWEEP_SECONDS });
      await system.controls.sweep();
    }
    expect(idle.ledger().logins).toHaveLength(1);
    expect(gistOf(await system.api.token('idle', 'system'))).toBe('200 login');
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
      const first = await system.api.token(connection, subject);
      expect(gistOf(first)).toBe('200 login');
      upstream.setKnobs(down);
      passRefreshOf(first);

      const during = await callersAbout(connection, subject, { seconds: 5, everySeconds: 1 });
      expect(new Set(during.map(gistOf))).toEqual(new Set(['200 cache']));
      expect(new Set(generationsOf(during))).toEqual(new Set([1]));
      const attempts = askedOf().filter(({ status }) => status === 503);
      expect(attempts.length).toBeGreaterThanOrEqual(1);
      // Backing off from 1 s, doubling.
      expect(attempts.length).toBeLessThanOrEqual(4);

      upstream.setKnobs(up);
      const after = await callersAbout(connection, subject, { seconds: 9, everySeconds: 1, generation: 2 });
      expect(new Set(after.map(gistOf))).toEqual(new Set(['200 cache']));
      expect(generationsOf(after).at(-1)).toBeGreaterThanOrEqual(2);
      expect(waitsOf(connection)).toEqual([]);
    },
  );
});

describe('the schedule', async () => {
  const upstream = await startDemoCommunity();
  const scheduled = await startSystemUnderTest({
    connections: {
      wfm: { provider: 'community-web-api', baseUrl: upstream.baseUrl, keepAlivePath: '/SingleRecurringEvent' },
    },
    secrets: { wfm: demoCommunitySecret },
    flags: ['--refresh-every', '0.05'],
  });
  afterAll(async () => {
    await scheduled.close();
    await upstream.close();
  });

  it('C15: slides a token once it is due, with nobody asking, and not before', async () => {
    const first = await scheduled.api.token('wfm', 'system');
    for (let sweep = 0; sweep < 3; sweep += 1) await scheduled.controls.sweep();
    expect(upstream.ledger().calls).toEqual([]);

    passRefreshOf(first);
    await waitUntil('slide', () => upstream.ledger().slides[0]);
    expect(upstream.ledger().logins).toHaveLength(1);
  });
});
