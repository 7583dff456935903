import { createKmsClient, createKmsKeys } from '../adapters/kms-keys.ts';
import { createLambdaClient, createLambdaMint } from '../adapters/lambda-mint.ts';
import { createUpstreamHttp } from '../adapters/upstream-http.ts';
import type { ApiHandler } from '../api/api-function.ts';
import { auditOf } from '../composition/audit.ts';
import { required, VARIABLES } from '../composition/environment.ts';
import { mintFunctionNames } from '../composition/function-names.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createTokenMemory } from '../core/memory.ts';
import { createForwarder } from '../providers/forward.ts';
import { createProxyFunction } from './proxy-function.ts';

/** Composes the function that forwards for one isolation group from its environment. */
export function composeProxyFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createInstance('proxy', surroundings);
  const { broker, clock, store } = instance;
  return createProxyFunction({
    ...instance,
    proxyStore: store,
    isolation: required(environment, VARIABLES.isolation),
    audit: auditOf(instance, surroundings),
    keys: createKmsKeys({
      client: createKmsClient(environment),
      keyId: required(environment, VARIABLES.key),
      broker,
      clock,
    }),
    minter: createLambdaMint({
      client: createLambdaClient(environment),
      functionNameOf: mintFunctionNames(environment),
    }),
    memory: createTokenMemory(),
    forwarder: createForwarder({ http: createUpstreamHttp(), clock }),
  });
}
