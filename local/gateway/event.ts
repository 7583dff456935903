import { isUtf8 } from 'node:buffer';
import type {
  APIGatewayEventRequestContextIAMAuthorizer,
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
} from 'aws-lambda';
import type { ReceivedRequest } from './received-request.ts';
import type { RouteMatch } from './routes.ts';

/** HTTP API event of payload format 2.0; only `AWS_IAM` routes have `authorizer`. */
export type GatewayEvent = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: APIGatewayEventRequestContextIAMAuthorizer }
>;

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
const TEXT_TYPES = new Set(['application/json', 'application/xml', 'application/javascript']);

/**
 * Creates a handler's event, as an HTTP API makes it for the `$default` stage.
 *
 * Facts relied on: `rawPath` and `requestContext.http.path` are percent-decoded, although one is called raw, and the
 * query string is not; repeated headers and query parameters are joined by commas; cookies stand in `cookies` and not
 * among the headers; members without content are absent; a body is text for `text/*`, `application/json`,
 * `application/xml` and `application/javascript`, and base64 for every other type, forms and none among them. The
 * gateway adds `x-forwarded-*` and keeps hop-by-hop headers to itself.
 *
 * Text that is not UTF-8 is passed in base64 as well, so that no byte is lost.
 */
export function createEvent(parts: EventParts): GatewayEvent {
  const { received, match, body } = parts;
  const cookies = readCookies(received.headers);
  const query = readQuery(received.rawQueryString);
  const { pathParameters } = match;
  return {
    version: '2.0',
    routeKey: match.route.routeKey,
    rawPath: received.path,
    rawQueryString: received.rawQueryString,
    ...(cookies && { cookies }),
    headers: forwardedHeaders(parts),
    ...(query && { queryStringParameters: query }),
    ...(pathParameters && { pathParameters }),
    requestContext: createRequestContext(parts),
    ...encodeBody(body, received.headers.get('content-type')),
  };
}

function createRequestContext(parts: EventParts): GatewayEvent['requestContext'] {
  const { received, match, caller, requestId, time } = parts;
  const domainName = (received.headers.get('host') ?? '').replace(/:[0-9]*$/, '');
  return {
    accountId: ACCOUNT_ID,
    apiId: 'local',
    ...(match.route.authorization === 'AWS_IAM' && { authorizer: iamAuthorizer(caller) }),
    domainName,
    domainPrefix: domainName.split('.', 1)[0] ?? '',
    http: {
      method: received.method,
      path: received.path,
      protocol: `HTTP/${parts.httpVersion}`,
      sourceIp: parts.sourceIp,
      userAgent: received.headers.get('user-agent') ?? '',
    },
    requestId,
    routeKey: match.route.routeKey,
    stage: '$default',
    time: formatTime(time),
    timeEpoch: time,
  };
}

function iamAuthorizer(caller: string): APIGatewayEventRequestContextIAMAuthorizer {
  return {
    iam: {
      accessKey: LOCAL_ACCESS_KEY_ID,
      accountId: caller.split(':')[4] ?? ACCOUNT_ID,
      callerId: LOCAL_ACCESS_KEY_ID,
      cognitoIdentity: null,
      principalOrgId: '',
      userArn: caller,
      userId: LOCAL_ACCESS_KEY_ID,
    },
  };
}

function readCookies(headers: ReadonlyMap<string, string>): string[] | undefined {
  const cookies = (headers.get('cookie') ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '');
  return cookies.length === 0 ? undefined : cookies;
}

// `fromEntries` makes `__proto__` an ordinary member, as in an event parsed from JSON.
function readQuery(rawQueryString: string): Record<string, string> | undefined {
  const query = new URLSearchParams(rawQueryString);
  return query.size === 0
    ? undefined
    : Object.fromEntries(query.keys().map((name) => [name, query.getAll(name).join()]));
}

function forwardedHeaders({ received, sourceIp, port }: EventParts): Record<string, string> {
  const headers = new Map(received.headers.entries().filter(([name]) => name !== 'cookie' && !HOP_BY_HOP.has(name)));
  const forwardedFor = received.headers.get('x-forwarded-for');
  headers.set('x-forwarded-for', forwardedFor === undefined ? sourceIp : `${forwardedFor}, ${sourceIp}`);
  headers.set('x-forwarded-port', String(port));
  headers.set('x-forwarded-proto', 'http');
  return Object.fromEntries(headers);
}

function encodeBody(body: Buffer, contentType = ''): Pick<GatewayEvent, 'body' | 'isBase64Encoded'> {
  if (body.length === 0) return { isBase64Encoded: false };
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  const isText = (mediaType.startsWith('text/') || TEXT_TYPES.has(mediaType)) && isUtf8(body);
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

// Example: 08/Apr/2022:07:31:05 +0000
function formatTime(time: number): string {
  return new Date(time).toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, '$1/$2/$3:$4 +0000');
}
