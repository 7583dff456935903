import type { ApiHandler } from '../api/function.ts';
import { auditOf } from '../composition/audit.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { lazyKeys, lazyMinter } from '../composition/lazy-ports.ts';
import { createTokenMemory } from '../core/hand-out/memory.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createExchangeFunction } from './function.ts';
import { createIssuerKeys } from './issuer-keys.ts';

/** Composes the function that exchanges workloads' JWTs from its environment. */
export function composeExchangeFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createInstance('exchange', surroundings);
  return createExchangeFunction({
    ...instance,
    trust: instance.configuration.trust,
    issuerKeys: createIssuerKeys({ ...instance, http: createUpstreamHttp() }),
    audit: auditOf(instance, surroundings),
    keys: lazyKeys(environment, instance),
    minter: lazyMinter(environment),
    memory: createTokenMemory(),
  });
}
