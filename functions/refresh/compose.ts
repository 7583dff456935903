import { createInstance, type Surroundings } from '../composition/instance.ts';
import { lazyMinter } from '../composition/lazy-ports.ts';
import { createRefreshFunction, type RefreshHandler } from './function.ts';

/** Composes the function that the schedule runs from its environment. */
export function composeRefreshFunction(surroundings: Surroundings): RefreshHandler {
  const minter = lazyMinter(surroundings.environment);
  return createRefreshFunction({ ...createInstance('refresh', surroundings), minter });
}
