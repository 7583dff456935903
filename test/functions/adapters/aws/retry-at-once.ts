import { beforeAll, vi } from 'vitest';

/**
 * Registers for the surrounding suite that the SDK's clients try again at once: what they wait is a random part of a
 * time that grows, here none of it.
 */
export function retryAtOnce(): void {
  beforeAll(() => {
    const chance = vi.spyOn(Math, 'random').mockReturnValue(0);
    return () => chance.mockRestore();
  });
}
