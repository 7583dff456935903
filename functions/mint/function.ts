import type { Context } from 'aws-lambda';
import type { Environment } from '../adapters/aws/client.ts';
import { createKmsClient, createKmsRequests } from '../adapters/aws/kms.ts';
import { createKmsKeys } from '../adapters/aws/kms-keys.ts';
import { createSecretsManagerClient, createSecretsManagerSecrets } from '../adapters/aws/secrets-manager.ts';
import { withMiddleware } from '../api/middleware.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { once } from '../composition/once.ts';
import { warmUp } from '../composition/warm-up.ts';
import { isOpenedByMint } from '../configuration/opened-by-mint.ts';
import type { KeptDependencies, KeptLogin } from '../core/mint/keep.ts';
import type { LogoutDependencies } from '../core/mint/logout.ts';
import { createMint } from '../core/mint/mint.ts';
import type { CandidateTry, createCandidateTry } from '../core/mint/try-candidate.ts';
import type { Connection } from '../core/slot/connection.ts';
import type { LogoutRequest, MintReply } from '../core/slot/mint-message.ts';
import { BrokerError } from '../core/words/errors.ts';
import { isJsonObject, type JsonValue } from '../core/words/json.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createUpstream } from '../providers/engine/engine.ts';
import { parseMintRequest } from './parse-request.ts';

/** Lambda's handler of `mint`. A logout is answered with nothing. */
export type MintHandler = (event: JsonValue | undefined, context: Context) => Promise<MintReply | undefined>;

/**
 * Composes the function that mints for one isolation group: invoked with a `MintRequest`, it answers a `MintReply`.
 * With a `LogoutRequest` it ends a purged token, and answers nothing. Throws for a malformed request or a connection of
 * another group.
 */
export function composeMintFunction(surroundings: Surroundings): MintHandler {
  return createMintFunction(createMintInstance(surroundings), surroundings);
}

/** Composes it and warms it up: the store and Secrets Manager are connected to side by side, not one after the other. */
export async function composeWarmMintFunction(surroundings: Surroundings): Promise<MintHandler> {
  const instance = createMintInstance(surroundings);
  const own = Object.entries(instance.connections).filter(([, { isolation }]) => isolation === instance.isolation);
  await warmUp({ ...instance, connections: Object.fromEntries(own), isOpened: isOpenedByMint });
  return createMintFunction(instance, surroundings);
}

type MintInstance = ReturnType<typeof createMintInstance>;

/** Creates the dependencies of the function, whose clients keep their connections. */
function createMintInstance(surroundings: Surroundings) {
  const { environment } = surroundings;
  const instance = createInstance('mint', surroundings);
  const { broker, clock } = instance;
  return {
    ...instance,
    isolation: readRequired(environment, VARIABLES.isolation),
    keys: createKmsKeys({
      requests: createKmsRequests({
        client: createKmsClient(environment),
        keyId: readRequired(environment, VARIABLES.key),
      }),
      broker,
      clock,
    }),
    secrets: createSecretsManagerSecrets({ client: createSecretsManagerClient(environment), clock }),
  };
}

function createMintFunction({ isolation, ...ports }: MintInstance, { environment }: Surroundings): MintHandler {
  const { clock, random, connections, telemetry } = ports;
  const upstream = createUpstream({ http: createUpstreamHttp(), clock, random });
  const mint = createMint({
    ...ports,
    loginWithKept: createLazyKeptLogin(ports, environment),
    tryCandidate: createLazyCandidateTry(ports, environment),
    upstream,
  });
  const logout = createLazyLogout({ ...ports, upstream });

  return withMiddleware<JsonValue | undefined, MintReply | undefined>({ telemetry }, async (event) => {
    const request =
      isJsonObject(event) && event['trigger'] === 'purge' ? await parseLogout(event) : parseMintRequest(event);
    if (request === undefined) throw new BrokerError('invalid_request', 'The invocation is not a mint request.');
    const connection = Object.hasOwn(connections, request.connection) ? connections[request.connection] : undefined;
    if (connection?.isolation !== isolation) {
      throw new BrokerError(
        'unknown_connection',
        `This function serves the isolation group ${isolation}, which has no such connection.`,
      );
    }
    return request.trigger === 'purge' ? logout(request, connection) : mint(request, connection);
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

/** Creates the try of a candidate. Few operators ask for one, so it is loaded then. */
function createLazyCandidateTry(
  ports: Omit<Parameters<typeof createCandidateTry>[0], 'candidates'>,
  environment: Environment,
): CandidateTry {
  const tryCandidate = once(async () => {
    const { createCandidateTry } = await import('../core/mint/try-candidate.ts');
    const { createCandidates } = await import('../adapters/aws/candidates.ts');
    const { createKeptSecretsClient } = await import('../adapters/aws/kept-secrets.ts');
    return createCandidateTry({
      ...ports,
      candidates: createCandidates({ client: createKeptSecretsClient(environment) }),
    });
  });
  return async (attempt, steps) => (await tryCandidate())(attempt, steps);
}

/** Parses a request to log out. Few invocations are one, so its parser is loaded then. */
async function parseLogout(event: JsonValue): Promise<LogoutRequest | undefined> {
  const { parseLogoutRequest } = await import('./parse-logout.ts');
  return parseLogoutRequest(event);
}

/** Creates the logout of purged tokens, which is loaded at the first. */
function createLazyLogout(ports: LogoutDependencies) {
  const logout = once(async () => (await import('../core/mint/logout.ts')).createLogout(ports));
  return async (request: LogoutRequest, connection: Connection): Promise<undefined> => {
    await (await logout())(request, connection);
  };
}
