import { expect, it } from 'vitest';
import { createKeyCache } from '../../../../functions/adapters/aws/key-cache.ts';

it('lets the least recently used go first', () => {
  const cache = createKeyCache<number>({ maxEntries: 2, maxAgeMs: 1_000, now: () => 0 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);

  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
});

it('does not let an entry live longer for being used', () => {
  let now = 0;
  const cache = createKeyCache<number>({ maxEntries: 2, maxAgeMs: 1_000, now: () => now });
  cache.set('a', 1);
  now = 999;
  expect(cache.get('a')).toBe(1);
  now = 1_000;
  expect(cache.get('a')).toBeUndefined();
});

it('counts an entry that is set again once', () => {
  const cache = createKeyCache<number>({ maxEntries: 2, maxAgeMs: 1_000, now: () => 0 });
  for (const name of ['a', 'b', 'b', 'b']) cache.set(name, 1);

  expect(cache.get('a')).toBe(1);
});
