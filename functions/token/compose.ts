import { createKmsClient, createKmsKeys } from '../adapters/kms-keys.ts';
import { createLambdaClient, createLambdaMint } from '../adapters/lambda-mint.ts';
import type { ApiHandler } from '../api/api-function.ts';
import { auditOf } from '../composition/audit.ts';
import { required, VARIABLES } from '../composition/environment.ts';
import { mintFunctionNames } from '../composition/function-names.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createTokenMemory } from '../core/memory.ts';
import { createTokenFunction } from './token-function.ts';

/** Composes the function that hands out tokens from its environment. */
export function composeTokenFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createInstance('token', surroundings);
  const { broker, clock } = instance;
  return createTokenFunction({
    ...instance,
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
