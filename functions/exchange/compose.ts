import { createIssuerKeys } from '../adapters/issuer-keys.ts';
import { createKmsClient, createKmsKeys } from '../adapters/kms-keys.ts';
import { createLambdaClient, createLambdaMint } from '../adapters/lambda-mint.ts';
import { createUpstreamHttp } from '../adapters/upstream-http.ts';
import type { ApiHandler } from '../api/api-function.ts';
import { auditOf } from '../composition/audit.ts';
import { required, VARIABLES } from '../composition/environment.ts';
import { mintFunctionNames } from '../composition/function-names.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createTokenMemory } from '../core/memory.ts';
import { createExchangeFunction } from './exchange-function.ts';

/** Composes the function that exchanges workloads' JWTs from its environment. */
export function composeExchangeFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createInstance('exchange', surroundings);
  const { broker, clock, configuration } = instance;
  return createExchangeFunction({
    ...instance,
    trust: configuration.trust,
    issuerKeys: createIssuerKeys({ ...instance, http: createUpstreamHttp() }),
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
  });
}
