import { describe, expect, it } from 'vitest';
import { createSingleFlight } from '../../../../functions/core/words/single-flight.ts';

describe('createSingleFlight', () => {
  it('does one piece of work for all who overlap under a key, and tells who began it', async () => {
    const once = createSingleFlight<number>();
    let works = 0;
    const work = async () => {
      works += 1;
      return works;
    };
    const together = await Promise.all([once('one', work), once('one', work), once('other', work)]);

    expect(together).toEqual([
      { value: 1, shared: false },
      { value: 1, shared: true },
      { value: 2, shared: false },
    ]);
    expect(await once('one', work)).toEqual({ value: 3, shared: false });
  });

  it('keeps nothing of work that failed', async () => {
    const once = createSingleFlight<number>();
    const failing = () => Promise.reject(new Error('no'));
    await Promise.allSettled([once('key', failing), once('key', failing)]);

    expect(await once('key', async () => 7)).toEqual({ value: 7, shared: false });
  });
});
