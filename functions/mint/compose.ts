import { createKmsClient, createKmsKeys } from '../adapters/aws/kms-keys.ts';
import { createSecretsManagerClient, createSecretsManagerSecrets } from '../adapters/aws/secrets-manager.ts';
import { required, VARIABLES } from '../composition/environment.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createUpstream } from '../providers/engine/engine.ts';
import { createMintFunction, type MintHandler } from './function.ts';

/** Composes the function that mints for one isolation group from its environment. */
export function composeMintFunction(surroundings: Surroundings): MintHandler {
  const { environment } = surroundings;
  const instance = createInstance('mint', surroundings);
  const { broker, clock } = instance;
  return createMintFunction({
    ...instance,
    isolation: required(environment, VARIABLES.isolation),
    keys: createKmsKeys({
      client: createKmsClient(environment),
      keyId: required(environment, VARIABLES.key),
      broker,
      clock,
    }),
    secrets: createSecretsManagerSecrets({ client: createSecretsManagerClient(environment), clock }),
    upstream: createUpstream({ http: createUpstreamHttp(), clock }),
  });
}
