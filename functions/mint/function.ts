import type { Context } from 'aws-lambda';
import type { Environment } from '../adapters/aws/client.ts';
import { createKmsClient, createKmsKeys } from '../adapters/aws/kms-keys.ts';
import { createSecretsManagerClient, createSecretsManagerSecrets } from '../adapters/aws/secrets-manager.ts';
import { withMiddleware } from '../api/middleware.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { once } from '../composition/once.ts';
import type { KeptDependencies, KeptLogin } from '../core/mint/keep.ts';
import { createMint } from '../core/mint/mint.ts';
import type { MintReply } from '../core/slot/mint-message.ts';
import { BrokerError } from '../core/words/errors.ts';
import type { JsonValue } from '../core/words/json.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createUpstream } from '../providers/engine/engine.ts';
import { parseMintRequest } from './parse-request.ts';

export type MintHandler = (event: JsonValue | undefined, context: Context) => Promise<MintReply>;

/**
 * Composes the function that mints for one isolation group: invoked with a `MintRequest`, it answers a `MintReply`.
 * Throws for a malformed request or a connection of another group.
 */
export function composeMintFunction(surroundings: Surroundings): MintHandler {
  const { environment } = surroundings;
  const instance = createInstance('mint', surroundings);
  const { broker, clock, random, connections, telemetry } = instance;
  const isolation = readRequired(environment, VARIABLES.isolation);
  const ports = {
    ...instance,
    keys: createKmsKeys({
      client: createKmsClient(environment),
      keyId: readRequired(environment, VARIABLES.key),
      broker,
      clock,
    }),
    secrets: createSecretsManagerSecrets({ client: createSecretsManagerClient(environment), clock }),
  };
  const mint = createMint({
    ...ports,
    loginWithKept: createLazyKeptLogin(ports, environment),
    upstream: createUpstream({ http: createUpstreamHttp(), clock, random }),
  });

  return withMiddleware<JsonValue | undefined, MintReply>({ telemetry }, async (event) => {
    const request = parseMintRequest(event);
    if (request === undefined) throw new BrokerError('invalid_request', 'The invocation is not a mint request.');
    const connection = Object.hasOwn(connections, request.connection) ? connections[request.connection] : undefined;
    if (connection?.isolation !== isolation) {
      throw new BrokerError(
        'unknown_connection',
        `This function serves the isolation group ${isolation}, which has no such connection.`,
      );
    }
    return mint(request, connection);
  });
}

/** Creates the login of credentials that rotate. What only it needs is loaded at the first such login. */
function createLazyKeptLogin(ports: Omit<KeptDependencies, 'keptSecrets'>, environment: Environment): KeptLogin {
  const login = once(async () => {
    const { createKeptLogin } = await import('../core/mint/kept.ts');
    const { createKeptSecrets, createKeptSecretsClient } = await import('../adapters/aws/kept-secrets.ts');
    return createKeptLogin({
      ...ports,
      keptSecrets: createKeptSecrets({ client: createKeptSecretsClient(environment) }),
    });
  });
  return async (begun, send) => (await login())(begun, send);
}
