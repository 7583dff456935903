import { expect, it } from 'vitest';
import { everyLoginsWrite } from '../functions/core/slot/every-change.ts';
import { leavesDecided, listAllParts, readKillers } from './killers.ts';

it('has a killer of every part of every change', () => {
  expect(
    [...readKillers().keys()].sort(),
    'Run `npm run test:mutants -- --record`, which looks for a check that notices the loss of a part.',
  ).toEqual([...listAllParts()].sort());
});

it('leaves what was decided on of a connection’s logins', () => {
  for (const write of Object.values(everyLoginsWrite).flat())
    expect(leavesDecided(write), JSON.stringify(write.change)).toBe(true);
});
