import type { ApiHandler } from '../api/function.ts';
import { auditOf } from '../composition/audit.ts';
import { required, VARIABLES } from '../composition/environment.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { lazyKeys, lazyMinter } from '../composition/lazy-ports.ts';
import { createTokenMemory } from '../core/hand-out/memory.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createForwarder } from '../providers/engine/forward.ts';
import { createProxyFunction } from './function.ts';

/** Composes the function that forwards for one isolation group from its environment. */
export function composeProxyFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createInstance('proxy', surroundings);
  const { clock, store } = instance;
  return createProxyFunction({
    ...instance,
    proxyStore: store,
    isolation: required(environment, VARIABLES.isolation),
    audit: auditOf(instance, surroundings),
    keys: lazyKeys(environment, instance),
    minter: lazyMinter(environment),
    memory: createTokenMemory(),
    forwarder: createForwarder({ http: createUpstreamHttp(), clock }),
  });
}
