import type { Writable } from 'node:stream';
import type { Environment } from '../functions/adapters/aws/client.ts';
import { type ApiRoute, apiRoutesOf } from '../functions/api/routes.ts';
import { groupFunctionName, VARIABLES } from '../functions/composition/environment.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { composeConnectionsFunction } from '../functions/connections/function.ts';
import { composeExchangeFunction } from '../functions/exchange/function.ts';
import { composeMintFunction } from '../functions/mint/function.ts';
import { composeProxyFunction } from '../functions/proxy/function.ts';
import { composeRefreshFunction } from '../functions/refresh/function.ts';
import { composeRotationFunction } from '../functions/rotation/function.ts';
import { composeTokenFunction } from '../functions/token/function.ts';
import { KEY_ALIAS } from './aws/kms.ts';
import type { GatewayRoute } from './gateway/gateway.ts';
import { LOCAL_CREDENTIAL, LOCAL_REGION } from './gateway/sigv4.ts';
import type { LambdaHandler, LocalFunction } from './lambda/invoke.ts';

export const BROKER = 'token-broker';
export const TABLE = 'token-broker';
export const AUDIT_TABLE = 'token-broker-audit';

const MINT_PREFIX = 'mint-';
const SECOND_MS = 1000;
const API_TIMEOUT_MS = 27 * SECOND_MS;
const MINT_TIMEOUT_MS = 20 * SECOND_MS;
const SCHEDULED_TIMEOUT_MS = 55 * SECOND_MS;

/** Builds the functions' environment: variables that a deployment sets, and the loopback endpoints. */
export function environmentOf(places: {
  readonly dynamodbEndpoint: string;
  readonly awsEndpoint: string;
  readonly configurationFile: string;
  /** Key that the functions sign with; what answers them may require it. */
  readonly secretAccessKey?: string;
}): Environment {
  return {
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIAL,
    AWS_SECRET_ACCESS_KEY: places.secretAccessKey ?? LOCAL_CREDENTIAL,
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

/** Functions of the broker, each composed as its Lambda is, with an environment of its own. */
export interface LocalFunctions {
  readonly routes: readonly GatewayRoute[];
  /** Functions by the name that Lambda Invoke uses. */
  readonly invocable: ReadonlyMap<string, LocalFunction>;
  readonly refresh: LocalFunction;
  readonly rotation: LocalFunction;
}

/** Composes every function; their logs go to `output`. */
export function composeFunctions(
  configuration: Configuration,
  environment: Environment,
  output: Writable,
): LocalFunctions {
  const surroundings = { environment, output };
  const ofGroup = (isolation: string) => ({
    environment: { ...environment, [VARIABLES.isolation]: isolation },
    output,
  });
  const connections = Object.values(configuration.connections);
  const groups = new Set(connections.map(({ isolation }) => isolation));
  const proxyGroups = new Set(connections.filter(({ proxy }) => proxy !== undefined).map(({ isolation }) => isolation));

  const api = {
    token: composeTokenFunction(surroundings),
    connections: composeConnectionsFunction(surroundings),
    exchange: composeExchangeFunction(surroundings),
  };
  const proxies = new Map([...proxyGroups].map((group) => [group, composeProxyFunction(ofGroup(group))]));
  const handlerOf = (route: ApiRoute): LambdaHandler => {
    if (route.function !== 'proxy') return api[route.function];
    const proxy = proxies.get(route.isolation ?? '');
    if (proxy === undefined) throw new Error(`No function serves ${route.method} ${route.resource}.`);
    return proxy;
  };
  return {
    routes: apiRoutesOf(configuration).map((route) => ({
      method: route.method,
      resource: route.resource,
      functionName: route.isolation === undefined ? route.function : `${route.function}-${route.isolation}`,
      handler: handlerOf(route),
      timeoutMs: API_TIMEOUT_MS,
      authorization: route.authorization,
    })),
    invocable: new Map(
      [...groups].map((group) => [
        groupFunctionName(MINT_PREFIX, group),
        { handler: composeMintFunction(ofGroup(group)), timeoutMs: MINT_TIMEOUT_MS },
      ]),
    ),
    refresh: { handler: composeRefreshFunction(surroundings), timeoutMs: SCHEDULED_TIMEOUT_MS },
    rotation: { handler: composeRotationFunction(surroundings), timeoutMs: SCHEDULED_TIMEOUT_MS },
  };
}
