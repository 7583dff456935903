import { describe, expect, it } from 'vitest';
import { createChecks } from './checks.ts';
import { violationsAtTheEnd } from './invariants.ts';
import { brokenBrokers } from './sabotage.ts';
import { type SimulationReport, simulate } from './simulate.ts';

/** Every broken broker is found out within fewer. */
const SEEDS = 400;

describe('createChecks', () => {
  it.each(brokenBrokers)('finds out a broker that $name ($breaks)', { timeout: 30_000 }, async (broker) => {
    const { sabotage } = broker;
    const missing = new Set(broker.breaks);
    let whole: SimulationReport | undefined;
    for (let seed = 1; seed <= SEEDS && missing.size > 0; seed += 1) {
      let inTheEnd: unknown;
      whole = await simulate(seed, {
        sabotage,
        stopsWhenBroken: false,
        onEnd(run) {
          const checks = createChecks(run);
          checks.look();
          inTheEnd = [...checks.violations, ...violationsAtTheEnd(run)];
        },
      });
      for (const { invariant } of whole.violations) missing.delete(invariant);
      // The checks after each step find the same as one check of the whole log.
      expect(whole.violations).toEqual(inTheEnd);
    }
    expect([...missing]).toEqual([]);

    const stopped = await simulate(whole?.seed ?? 0, { sabotage });
    const [first] = stopped.violations;
    expect(whole?.violations.slice(0, stopped.violations.length)).toEqual(stopped.violations);
    expect(stopped.steps).toBeLessThanOrEqual(whole?.steps ?? 0);
    expect(stopped.history.at(-1)).toContain(`! invariant ${first?.invariant}: ${first?.what}`);
  });

  it('stops the run at the very step that breaks an invariant', async () => {
    const broker = brokenBrokers.find(({ name }) => name === 'records nothing');
    let answers = 0;
    await simulate(1, {
      sabotage: broker?.sabotage ?? {},
      onEnd({ world }) {
        answers = world.answers.filter(
          ({ handOut, answeredAt }) => handOut !== undefined && answeredAt < world.time.now(),
        ).length;
      },
    });

    expect(broker).toBeDefined();
    expect(answers).toBe(0);
  });
});
