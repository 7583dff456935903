import { describe, expect, it } from 'vitest';
import { recordDraws, replayDraws } from './draws.ts';
import { brokenBrokers } from './sabotage.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const A_FEW = 4;
/** The least length of a run: a shorter one has too little to leave out. */
const MANY = 15;
/** The least number of actions differs from seed to seed, so the best of several counts. */
const SEEDS = 5;

/** The length of what is left of a run: its actions, and among as many its history. */
function lengthOf(shrunk: Awaited<ReturnType<typeof shrink>>): number {
  return shrunk === undefined ? Number.POSITIVE_INFINITY : shrunk.kept.actions.size * 1_000 + shrunk.history.length;
}

describe('a failing seed', () => {
  it.each(brokenBrokers.filter(({ breaks }) => ['1', '4', '5', '11', '16'].some((number) => breaks.includes(number))))(
    'of a broker that $name shrinks to a few actions that break the same invariant',
    { timeout: 180_000 },
    async ({ sabotage }) => {
      let best = { whole: await simulate(1), shrunk: await shrink(1) };
      for (let seed = 1, tried = 0; tried < SEEDS; seed += 1) {
        const whole = await simulate(seed, { sabotage });
        if (whole.violations.length === 0 || whole.actions < MANY) continue;
        tried += 1;
        const shrunk = await shrink(seed, { sabotage });
        if (lengthOf(shrunk) < lengthOf(best.shrunk)) best = { whole, shrunk };
      }
      const { whole, shrunk } = best;

      const [first, ...others] = shrunk?.history ?? [];
      expect(shrunk?.report.violations[0]?.invariant).toBe(whole.violations[0]?.invariant);
      expect(shrunk?.report.actions).toBeLessThanOrEqual(A_FEW);
      expect(shrunk?.kept.actions.size).toBeLessThanOrEqual(A_FEW);
      expect(first).toContain(`shrunk from ${whole.actions} actions to ${shrunk?.kept.actions.size}`);
      expect(others.at(-1)).toContain(`--seeds 1 --from ${whole.seed}`);
      expect(others.length).toBeLessThan(60);
    },
  );

  it('is not shrunk where it does not fail', async () => {
    expect(await shrink(1)).toBeUndefined();
  });

  it('goes again as it went when it is replayed, its actions drawing the same without others', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { draws, tape } = recordDraws();
      const recorded = await simulate(seed, { draws });
      const actions = Array.from({ length: 50 }, (_, n) => n);
      const kept = { actions: new Set(actions), faultKinds: new Set(recorded.faultKinds) };

      expect(recorded).toEqual(await simulate(seed));
      expect(await simulate(seed, { draws: replayDraws(tape), kept })).toEqual(recorded);
    }
  });
});
