import { describe, expect, it } from 'vitest';
import { removePart } from '../mutants/parts.ts';
import { plans } from './plans.ts';
import { search } from './search.ts';

describe('search', () => {
  it.each(plans)('finds no broken invariant in the world: $name', async (plan) => {
    const { states, history } = await search(plan);

    expect(history.join('\n')).toBe('');
    expect(states).toBeGreaterThan(plan.roles.length);
  });

  it('returns the shortest way to a broken invariant', async () => {
    const found = await Promise.all(
      plans
        .filter(({ name }) => name === 'exclusive, one caller')
        .map((plan) => search(plan, (change) => removePart(change, 'beginCall only if lease.id'))),
    );

    expect(found.map(({ history }) => history)).toEqual([
      [
        'call 1: start',
        'call 1: read',
        'call 2: start',
        'call 2: read',
        'call 1: beginCall',
        'call 2: beginCall',
        'invariant 3: call 2: a live lease was taken over',
        'invariant 3: call 2 sends while call 1 does',
      ],
    ]);
  });
});
