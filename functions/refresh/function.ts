import type { Context } from 'aws-lambda';
import { withMiddleware } from '../api/middleware.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createLazyMinter } from '../composition/lazy-minter.ts';
import { createSweep, type SweepResult } from '../core/operate/sweep.ts';

/** Lambda's handler of `refresh`: the result of its sweep is the answer. */
export type RefreshHandler = (event: unknown, context: Context) => Promise<SweepResult>;

/** Composes the function that the schedule runs each minute, whatever its event: one sweep over what is due. */
export function composeRefreshFunction(surroundings: Surroundings): RefreshHandler {
  const instance = createInstance('refresh', surroundings);
  const sweep = createSweep({ ...instance, minter: createLazyMinter(surroundings.environment) });
  return withMiddleware(instance, () => sweep());
}
