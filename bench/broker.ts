import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../functions/adapters/aws/client.ts';
import { STAGE } from '../functions/api/routes.ts';
import { VARIABLES } from '../functions/composition/environment.ts';
import { serializeConfiguration } from '../functions/configuration/bundle.ts';
import { resolveConnections } from '../functions/configuration/check.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import type { Connection } from '../functions/core/slot/connection.ts';
import { BROKER, environmentOf } from '../local/functions.ts';

/** The connection that is measured. */
export const MEASURED = 'helpdesk';
/** Most requests that wait for one connection, as deployed by default. */
const MOST_WAITS = '100';
export const CALLER = 'arn:aws:iam::123456789012:role/reporting';

/** One connection to HelpMaster at `baseUrl`; a staff subject each makes as many slots as are wanted. */
export function configurationFor(baseUrl: string, settings: Readonly<Record<string, unknown>> = {}): Configuration {
  const proxy = { methods: ['GET'], paths: ['/'] };
  return resolveConnections({ connections: { [MEASURED]: { provider: 'helpmaster', baseUrl, proxy, ...settings } } });
}

/** The connection that is measured, of a configuration of `configurationFor`. */
export function measuredIn({ connections }: Configuration): Connection {
  const connection = connections[MEASURED];
  if (connection === undefined) throw new Error(`The configuration declares no ${MEASURED}.`);
  return connection;
}

/** Writes the configuration where a function finds it, and says what the function's environment must be. */
export async function environmentIn(
  folder: string,
  configuration: Configuration,
  endpoint: string,
  dynamodbEndpoint = endpoint,
): Promise<Environment> {
  const configurationFile = join(folder, 'configuration.json');
  await writeFile(configurationFile, serializeConfiguration(configuration));
  return {
    ...environmentOf({ dynamodbEndpoint, awsEndpoint: endpoint, configurationFile }),
    [VARIABLES.isolation]: MEASURED,
    [VARIABLES.broker]: BROKER,
    [VARIABLES.waits]: MOST_WAITS,
  };
}

/** The event of a request to the API as a REST API makes it: as much of it as the functions read. */
export function eventOf(
  route: string,
  pathParameters: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
) {
  const [verb = 'GET', resource = '/'] = route.split(' ');
  const path = resource.replace(/\{(\w+)\+?\}/g, (_, name: string) => pathParameters[name] ?? '');
  const headers = { 'content-type': 'application/json' };
  return {
    resource,
    path,
    httpMethod: verb === 'ANY' ? 'GET' : verb,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters,
    requestContext: {
      accountId: '123456789012',
      requestId: 'bench-request',
      path: `/${STAGE}${path}`,
      identity: { accountId: '123456789012', userArn: CALLER },
    },
    body: null,
    isBase64Encoded: false,
    ...more,
  };
}

/** The event of a hand-out of the connection's own identity. */
export const HAND_OUT_EVENT = eventOf('GET /tokens/{connection}/{subject}', {
  connection: MEASURED,
  subject: 'system',
});
