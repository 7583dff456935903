import { describe, expect, it } from 'vitest';
import { removePart } from '../mutants/parts.ts';
import { gatePlans } from './gate-plans.ts';
import type { Broken } from './plan.ts';
import { plans } from './plans.ts';
import { search } from './search.ts';

describe('search', () => {
  it.each(plans)('finds no broken invariant in the world: $name', async (plan) => {
    const { states, history } = await search(plan);

    expect(history.join('\n')).toBe('');
    expect(states).toBeGreaterThan(plan.roles.length);
  });

  it.each<[string, string, string, Partial<Broken>]>([
    [
      'on what was read',
      'gate, due',
      'invariant 21',
      { alter: (change) => removePart(change, 'changeLogins only if revision') },
    ],
    [
      'while another login tries the version',
      'gate, due',
      'invariant 21',
      { blind: (seen) => ({ ...seen, probe: undefined, notBefore: 0 }) },
    ],
    ['so that who waits is served', 'gate', 'invariant 18', { blind: (seen) => ({ ...seen, probe: undefined }) }],
    [
      'after three refusals',
      'gate, almost locked',
      'invariant 22',
      { blind: (seen) => ({ ...seen, failed: new Set() }) },
    ],
    [
      'after two users were refused',
      'gate, refused before',
      'invariant 5',
      { blind: (seen) => ({ ...seen, refusals: 0 }) },
    ],
    ['once it is refused', 'gate, system', 'invariant 5', { blind: (seen) => ({ ...seen, standing: 'unproven' }) }],
    ['before it is proven', 'gate', 'invariant 21', { blind: (seen) => ({ ...seen, standing: 'proven' }) }],
  ])('notices a gate of logins that does not hold back %s', async (_, name, invariant, broken) => {
    const plan = gatePlans.find((each) => each.name === name);
    const history = plan === undefined ? [] : (await search(plan, broken)).history;

    expect(history.at(-1)).toContain(invariant);
  });

  it('returns the shortest way to a broken invariant', async () => {
    const found = await Promise.all(
      plans
        .filter(({ name }) => name === 'exclusive, one caller')
        .map((plan) => search(plan, { alter: (change) => removePart(change, 'beginCall only if lease.id') })),
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
