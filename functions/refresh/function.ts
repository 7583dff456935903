import type { Context } from 'aws-lambda';
import { withMiddleware } from '../api/middleware.ts';
import { createLazyMinter } from '../composition/hand-out-instance.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createSweep, type SweepResult } from '../core/operate/sweep.ts';
import type { Connection } from '../core/slot/connection.ts';
import type { MintInvoker } from '../core/slot/minter.ts';
import type { Store } from '../core/slot/store.ts';
import type { Clock, Telemetry } from '../core/words/platform.ts';

export type RefreshHandler = (event: unknown, context: Context) => Promise<SweepResult>;

/** Creates the function that the schedule runs each minute, whatever event it comes with: one sweep over what is due. */
export function createRefreshFunction(dependencies: {
  readonly store: Store;
  readonly minter: MintInvoker;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly connections: Readonly<Record<string, Connection>>;
}): RefreshHandler {
  const sweep = createSweep(dependencies);
  return withMiddleware(dependencies, () => sweep());
}

/** Composes the function that the schedule runs from its environment. */
export function composeRefreshFunction(surroundings: Surroundings): RefreshHandler {
  const minter = createLazyMinter(surroundings.environment);
  return createRefreshFunction({ ...createInstance('refresh', surroundings), minter });
}
