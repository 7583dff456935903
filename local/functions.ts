import type { Writable } from 'node:stream';
import type { Environment } from '../functions/adapters/aws-client.ts';
import { apiRoutes } from '../functions/api/routes.ts';
import { VARIABLES } from '../functions/composition/environment.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { composeConnectionsFunction } from '../functions/connections/compose.ts';
import { composeMintFunction } from '../functions/mint/compose.ts';
import { composeRefreshFunction } from '../functions/refresh/compose.ts';
import { composeRotationFunction } from '../functions/rotation/compose.ts';
import { composeTokenFunction } from '../functions/token/compose.ts';
import type { LoopbackFunction } from './aws/loopback-aws.ts';
import type { GatewayRoute } from './gateway/gateway.ts';

export const BROKER = 'token-broker';
export const TABLE = 'token-broker';
export const AUDIT_TABLE = 'token-broker-audit';
export const KEY_ALIAS = 'alias/token-broker';
export const REGION = 'us-east-1';
/** The access key id and the secret access key of everything on loopback. */
export const LOCAL_CREDENTIAL = 'local';

const MINT_PREFIX = 'mint-';
const SECOND_MS = 1000;
const API_TIMEOUT_MS = 28 * SECOND_MS;
const MINT_TIMEOUT_MS = 20 * SECOND_MS;
const SCHEDULED_TIMEOUT_MS = 55 * SECOND_MS;

/** Where the functions find everything; what a deployment sets, and the loopback endpoints. */
export function environmentOf(places: {
  readonly dynamodbEndpoint: string;
  readonly awsEndpoint: string;
  readonly configurationFile: string;
}): Environment {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIAL,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIAL,
    AWS_ENDPOINT_URL: places.awsEndpoint,
    AWS_ENDPOINT_URL_DYNAMODB: places.dynamodbEndpoint,
    [VARIABLES.broker]: BROKER,
    [VARIABLES.table]: TABLE,
    [VARIABLES.auditTable]: AUDIT_TABLE,
    [VARIABLES.key]: KEY_ALIAS,
    [VARIABLES.mintPrefix]: MINT_PREFIX,
    [VARIABLES.configuration]: places.configurationFile,
  };
}

/** The functions of the broker, each composed as its Lambda is, with an environment of its own. */
export interface LocalFunctions {
  readonly routes: readonly GatewayRoute[];
  /** By name, as Lambda Invoke finds them. */
  readonly invocable: ReadonlyMap<string, LoopbackFunction>;
  readonly refresh: LoopbackFunction;
  readonly rotation: LoopbackFunction;
}

/** Composes every function; their logs go to `output`. */
export function composeFunctions(
  configuration: Configuration,
  environment: Environment,
  output: Writable,
): LocalFunctions {
  const surroundings = { environment, output };
  const handlers = {
    token: composeTokenFunction(surroundings),
    connections: composeConnectionsFunction(surroundings),
  };
  const groups = new Set(Object.values(configuration.connections).map(({ isolation }) => isolation));
  return {
    routes: apiRoutes.map(({ routeKey, function: name, authorization }) => ({
      routeKey,
      functionName: name,
      handler: handlers[name],
      timeoutMs: API_TIMEOUT_MS,
      authorization,
    })),
    invocable: new Map(
      [...groups].map((group) => {
        const own = { environment: { ...environment, [VARIABLES.isolation]: group }, output };
        return [`${MINT_PREFIX}${group}`, { handler: composeMintFunction(own), timeoutMs: MINT_TIMEOUT_MS }];
      }),
    ),
    refresh: { handler: composeRefreshFunction(surroundings), timeoutMs: SCHEDULED_TIMEOUT_MS },
    rotation: { handler: composeRotationFunction(surroundings), timeoutMs: SCHEDULED_TIMEOUT_MS },
  };
}
