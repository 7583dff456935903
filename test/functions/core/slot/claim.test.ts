import { describe, expect, it } from 'vitest';
import { createClaim } from '../../../../functions/core/slot/claim.ts';
import { EMPTY_RECORD } from '../../../../functions/core/slot/record.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';
import { createSeededRandom } from '../../../simulation/seeded-random.ts';

const connection = helpdeskConnection({ timeoutSeconds: 6 });

describe('createClaim', () => {
  const clock = { now: 1_800_000_000_999, random: createSeededRandom(1) };
  const claim = (tries: number, ttlSeconds = 0) =>
    createClaim(connection, { ...EMPTY_RECORD, tries, ttlSeconds }, clock);

  it('brings the back-off that holds if its holder never comes back, longer with each try', () => {
    expect([0, 1, 2, 5].map((tries) => claim(tries).notBefore - clock.now)).toEqual([30_000, 60_000, 120_000, 900_000]);
  });

  it('keeps the item a day, and no shorter than it was to be kept', () => {
    expect(claim(0).ttlSeconds).toBe(1_800_000_001 + 86_400);
    expect(claim(0, 1_900_000_000).ttlSeconds).toBe(1_900_000_000);
  });
});
