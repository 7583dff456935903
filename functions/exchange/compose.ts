import { createIssuerKeys } from '../adapters/issuer-keys.ts';
import { createUpstreamHttp } from '../adapters/upstream-http.ts';
import type { ApiHandler } from '../api/api-function.ts';
import { auditOf } from '../composition/audit.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { lazyKeys, lazyMinter } from '../composition/lazy-ports.ts';
import { createTokenMemory } from '../core/memory.ts';
import { createExchangeFunction } from './exchange-function.ts';

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
