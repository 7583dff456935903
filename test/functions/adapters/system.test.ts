import { expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../../functions/adapters/system.ts';

it('tells the time in epoch milliseconds, and time passed by a clock that never goes back', async () => {
  const before = { now: Date.now(), monotonic: systemClock.monotonic() };
  await systemClock.sleep(5);

  expect(systemClock.now()).toBeGreaterThanOrEqual(before.now);
  expect(systemClock.monotonic()).toBeGreaterThan(before.monotonic);
});

it('gives version 4 UUIDs, fractions below 1 and as many bytes as asked for', () => {
  expect(systemRandom.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(systemRandom.uuid()).not.toBe(systemRandom.uuid());
  expect(systemRandom.bytes(12)).toHaveLength(12);
  for (let n = 0; n < 100; n += 1) {
    const fraction = systemRandom.fraction();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  }
});
