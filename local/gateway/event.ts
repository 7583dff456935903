import type { APIGatewayEventIdentity, APIGatewayProxyEvent } from 'aws-lambda';
import { STAGE } from '../../functions/api/routes.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { RouteMatch } from './routes.ts';

/** Event of a REST API's Lambda proxy integration, payload format 1.0; only `AWS_IAM` routes have a caller. */
export type GatewayEvent = APIGatewayProxyEvent;

/** Parts of an event. */
export interface EventParts {
  readonly received: ReceivedRequest;
  readonly match: RouteMatch;
  readonly body: Buffer;
  /** ARN of the assumed signer. */
  readonly caller: string;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly httpVersion: string;
  readonly port: number;
  /** Epoch milliseconds. */
  readonly time: number;
}

const ACCOUNT_ID = '000000000000';
const LOCAL_ACCESS_KEY_ID = 'local';
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'expect']);

/**
 * Creates a handler's event, as a REST API does that treats every media type as binary.
 *
 * Facts relied on: `path` and `pathParameters` are as they were sent, `path` without the stage and
 * `requestContext.path` with it; names and values of the query are decoded, `+` too, with U+FFFD for bytes that are no
 * UTF-8, and a name without `=` has an empty value; header names are as they were sent; every body is base64; members
 * without content are null. The gateway adds `X-Forwarded-*` and keeps hop-by-hop headers to itself.
 */
export function createEvent(parts: EventParts): GatewayEvent {
  const { received, match, body } = parts;
  const headers = readHeaders(parts);
  const query = readQuery(received.rawQueryString);
  return {
    resource: match.route.resource,
    path: received.path,
    httpMethod: received.method,
    headers: lastOf(headers),
    multiValueHeaders: headers,
    queryStringParameters: query && lastOf(query),
    multiValueQueryStringParameters: query,
    pathParameters: match.pathParameters ?? null,
    stageVariables: null,
    requestContext: createRequestContext(parts),
    body: body.length === 0 ? null : body.toString('base64'),
    isBase64Encoded: body.length > 0,
  };
}

function createRequestContext(parts: EventParts): GatewayEvent['requestContext'] {
  const { received, match, requestId, time } = parts;
  const domainName = (received.headers.get('host') ?? '').replace(/:[0-9]*$/, '');
  return {
    accountId: ACCOUNT_ID,
    apiId: 'local',
    authorizer: undefined,
    domainName,
    domainPrefix: domainName.split('.', 1)[0] ?? '',
    extendedRequestId: requestId,
    httpMethod: received.method,
    identity: createIdentity(parts),
    path: received.rawPath,
    protocol: `HTTP/${parts.httpVersion}`,
    requestId,
    requestTime: formatTime(time),
    requestTimeEpoch: time,
    resourceId: 'local',
    resourcePath: match.route.resource,
    stage: STAGE,
  };
}

function createIdentity({ received, match, caller, sourceIp }: EventParts): APIGatewayEventIdentity {
  const isSigned = match.route.authorization === 'AWS_IAM';
  return {
    accessKey: isSigned ? LOCAL_ACCESS_KEY_ID : null,
    accountId: isSigned ? (caller.split(':')[4] ?? ACCOUNT_ID) : null,
    apiKey: null,
    apiKeyId: null,
    caller: isSigned ? LOCAL_ACCESS_KEY_ID : null,
    clientCert: null,
    cognitoAuthenticationProvider: null,
    cognitoAuthenticationType: null,
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    principalOrgId: null,
    sourceIp,
    user: isSigned ? LOCAL_ACCESS_KEY_ID : null,
    userAgent: received.headers.get('user-agent') ?? null,
    userArn: isSigned ? caller : null,
  };
}

// `fromEntries` makes `__proto__` an ordinary member, as in an event parsed from JSON.
function readQuery(rawQueryString: string): Record<string, string[]> | null {
  // It takes one `?` away, which may belong to the first name.
  const query = new URLSearchParams(`?${rawQueryString}`);
  if (query.size === 0) return null;
  return Object.fromEntries(query.keys().map((name) => [name, query.getAll(name)]));
}

/** The values of each header, under its name as it was first sent. */
function readHeaders({ received, sourceIp, port }: EventParts): Record<string, string[]> {
  const forwardedFor = received.headers.get('x-forwarded-for');
  const lines = [
    ...received.lines.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !/^x-forwarded-/i.test(name)),
    ['X-Forwarded-For', forwardedFor === undefined ? sourceIp : `${forwardedFor}, ${sourceIp}`] as const,
    ['X-Forwarded-Port', String(port)] as const,
    ['X-Forwarded-Proto', 'http'] as const,
  ];
  const byName = Map.groupBy(lines, ([name]) => name.toLowerCase());
  return Object.fromEntries([...byName.values()].map((same) => [same[0]?.[0] ?? '', same.map(([, value]) => value)]));
}

function lastOf(values: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, same]) => [name, same.at(-1) ?? '']));
}

// Example: 08/Apr/2022:07:31:05 +0000
function formatTime(time: number): string {
  return new Date(time).toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, '$1/$2/$3:$4 +0000');
}
