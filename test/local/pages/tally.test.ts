import { expect, it } from 'vitest';
import { createTally } from '../../../local/pages/tally.ts';

const login = { connection: 'wfm', kind: 'logins', count: 1 } as const;

it('a tally adds up what was counted in the same minute, by connection, kind and code', () => {
  let now = 90_000;
  const tally = createTally(() => now);
  tally.add(login);
  tally.add({ ...login, count: 2 });
  tally.add({ ...login, kind: 'failures', code: 'upstream_timeout' });
  now = 125_000;
  tally.add(login);
  expect(tally.samples().map(({ at, kind, count, code }) => [at, kind, count, code])).toEqual([
    [60_000, 'logins', 3, undefined],
    [60_000, 'failures', 1, 'upstream_timeout'],
    [120_000, 'logins', 1, undefined],
  ]);
});

it('a tally forgets what is older than a day', () => {
  let now = 0;
  const tally = createTally(() => now);
  tally.add(login);
  now = 86_400_000;
  expect(tally.samples()).toHaveLength(1);
  now += 1;
  expect(tally.samples()).toHaveLength(0);
});
