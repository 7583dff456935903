import type { ApiHandler } from '../api/function.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createConnectionsFunction } from './function.ts';

/** Composes the function of the operators from its environment. */
export function composeConnectionsFunction(surroundings: Surroundings): ApiHandler {
  return createConnectionsFunction(createInstance('connections', surroundings));
}
