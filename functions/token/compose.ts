import type { ApiHandler } from '../api/function.ts';
import { auditOf } from '../composition/audit.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { lazyKeys, lazyMinter } from '../composition/lazy-ports.ts';
import { warmUp } from '../composition/warm-up.ts';
import { createTokenMemory } from '../core/hand-out/memory.ts';
import { createTokenFunction } from './function.ts';

/** Composes the function that hands out tokens from its environment. */
export function composeTokenFunction(surroundings: Surroundings): ApiHandler {
  return createTokenFunction(dependenciesIn(surroundings));
}

/** Composes it and warms it up, for an instance that has the time before its first request. */
export async function composeWarmTokenFunction(surroundings: Surroundings): Promise<ApiHandler> {
  const dependencies = dependenciesIn(surroundings);
  await warmUp(dependencies);
  return createTokenFunction(dependencies);
}

function dependenciesIn(surroundings: Surroundings) {
  const { environment } = surroundings;
  const instance = createInstance('token', surroundings);
  return {
    ...instance,
    audit: auditOf(instance, surroundings),
    keys: lazyKeys(environment, instance),
    minter: lazyMinter(environment),
    memory: createTokenMemory(),
  };
}
