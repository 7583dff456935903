import { describe, expect, it, vi } from 'vitest';
import { once } from '../../../functions/composition/once.ts';

describe('once', () => {
  it('makes one thing for all calls, those that overlap too', async () => {
    const make = vi.fn(async () => ({}));
    const get = once(make);
    const [first, second] = await Promise.all([get(), get()]);

    expect(second).toBe(first);
    expect(await get()).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('makes it again after a failure (invariant 18)', async () => {
    const make = vi.fn(async () => 'made').mockRejectedValueOnce(new Error('EMFILE'));
    const get = once(make);

    await expect(get()).rejects.toThrow('EMFILE');
    expect(await get()).toBe('made');
  });
});
