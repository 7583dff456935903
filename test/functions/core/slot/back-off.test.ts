import { describe, expect, it } from 'vitest';
import type { BackOffKind } from '../../../../functions/core/slot/back-off.ts';
import { backOffMs } from '../../../../functions/core/slot/back-off.ts';
import { harness } from '../../../protocol/harness.ts';
import { createSeededRandom } from '../../../simulation/seeded-random.ts';

const random = createSeededRandom(1);
const seconds = (kind: BackOffKind) => Array.from({ length: 8 }, (_, n) => backOffMs(kind, n + 1, random) / 1000);

describe('backOffMs', () => {
  it.each([
    ['unknown', [30, 60, 120, 240, 480, 900, 900, 900]],
    ['ambiguous_login', [60, 120, 240, 480, 900, 900, 900, 900]],
    ['locked', [1800, 1800, 1800, 1800, 1800, 1800, 1800, 1800]],
    ['refused', [10, 10, 10, 10, 10, 10, 10, 10]],
  ] as const)('grows for `%s` as the protocol says, never jittered below it', (kind, expected) => {
    expect(seconds(kind)).toEqual(expected);
  });

  it('doubles from 1 s to 60 s with jitter, never longer, for what was not judged', () => {
    for (const [n, most] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
      const waits = Array.from({ length: 200 }, () => backOffMs('not_judged', n + 1, random) / 1000);
      expect(Math.max(...waits)).toBeLessThanOrEqual(most);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(most / 2);
      expect(new Set(waits).size).toBeGreaterThan(50);
    }
  });

  it('is raised by a Retry-After, never lowered, and to an hour at most', () => {
    expect(backOffMs('unknown', 1, random, 45_000)).toBe(45_000);
    expect(backOffMs('unknown', 1, random, 5_000)).toBe(30_000);
    expect(backOffMs('unknown', 1, random, 86_400_000)).toBe(3_600_000);
  });

  it('stays finite and whole for any number of tries', () => {
    for (const tries of [0, 1, 50, 1_000, Number.MAX_SAFE_INTEGER]) {
      expect(backOffMs('unknown', tries, random)).toBeLessThanOrEqual(900_000);
      expect(Number.isInteger(backOffMs('not_judged', tries, random))).toBe(true);
    }
  });
});

/** Asks as often as it is any use for `hours`, and gives the times of the attempts in minutes since the first. */
async function attemptsOver(hours: number, everyAttempt: 'crashes' | 'times out'): Promise<number[]> {
  const { broker, fleet, weather, upstream, time, writes } = harness();
  const until = time.now() + hours * 3_600_000;
  if (everyAttempt === 'crashes') {
    weather.invoker.crashWithinSteps = 0;
    weather.invoker.faults.crash = 1;
  }
  weather.upstream.faults.lost = 1;
  while (time.now() < until) {
    const error = await broker.refusal();
    await time.advance(Math.max(1_000, Math.min(error.retryAfterMs ?? 1_000, 5_000)));
  }
  const acquired = writes.filter(({ operation }) => operation === 'acquire').map(({ at }) => at);
  const sent = upstream.logins.map(({ at }) => at);
  expect(fleet.instances.length).toBeGreaterThan(0);
  const times = everyAttempt === 'crashes' ? acquired : sent;
  return times.map((at) => (at - (times[0] ?? 0)) / 60_000);
}

describe('the back-off after an unknown outcome (invariant 6)', () => {
  it.each(['crashes', 'times out'] as const)(
    'allows 10 attempts in the first hour and 4 an hour after it, though every holder %s',
    async (everyAttempt) => {
      const minutes = await attemptsOver(6, everyAttempt);

      expect(minutes.filter((minute) => minute < 60).length).toBeLessThanOrEqual(10);
      expect(minutes.length).toBeGreaterThan(10);
      for (const from of minutes.filter((minute) => minute >= 60)) {
        expect(minutes.filter((minute) => minute >= from && minute < from + 60).length).toBeLessThanOrEqual(4);
      }
    },
  );
});
