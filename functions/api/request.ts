import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Connection } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';
import { findResourceConnection, PROXY } from './routes.ts';

/** A request as a REST API hands it to a function (Lambda proxy integration, payload format 1.0). */
export type ApiEvent = APIGatewayProxyEvent;

/** The parameters of a path by name: segments decoded, the rest of a path (`{path+}`) as it was sent. */
export type PathParameters = Readonly<Record<string, string>>;

/** The form of `min_ttl`. */
export const SECONDS_PATTERN = /^[0-9]{1,9}$/;

/**
 * Gives the ARN of the IAM principal that signed the request. Throws `forbidden` where API Gateway did not verify one, so
 * that a route deployed without authorization still hands out nothing.
 */
export function requireCaller({ requestContext: { identity } }: ApiEvent): string {
  const { userArn, accountId } = identity;
  if (!userArn || !accountId) {
    throw new BrokerError(
      'forbidden',
      'The request has no caller identity. Sign it with SigV4 for service execute-api.',
    );
  }
  return userArn;
}

const PARAMETER = /^\{(\w+)(\+?)\}$/;
/** The escape of a character that needs none (RFC 3986 §2.3). */
const NEEDLESS_ESCAPE = /%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/i;
const DELIMITER = /[?#]/;

/** A segment of a resource: a text of its own, or a parameter, which may be the rest of the path. */
interface Segment {
  readonly text: string;
  readonly name: string | undefined;
  readonly isRest: boolean;
}

/** The segments of each resource that was asked for: an API has few, and each request would take them apart again. */
const segments = new Map<string, readonly Segment[]>();

function segmentsOf(resource: string): readonly Segment[] {
  const known = segments.get(resource);
  if (known !== undefined) return known;
  const read = resource.split('/').map((text): Segment => {
    const [, name, plus] = PARAMETER.exec(text) ?? [];
    return { text, name, isRest: plus === '+' };
  });
  segments.set(resource, read);
  return read;
}

/**
 * Reads the parameters out of the path as it was sent, on which IAM has judged. Throws `not_found` unless the path is
 * the resource's own with its parameters in place, to the character, and what API Gateway made of them is the same.
 */
export function readParameters(event: ApiEvent): PathParameters {
  const parameters = readOwnParameters(event);
  if (!event.resource.startsWith(PROXY)) return parameters;
  const [first = '', ...rest] = (parameters['path'] ?? '').split('/');
  const subject = decodeSegment(first);
  const path = rest.join('/');
  if (!subject || path === '' || path.startsWith('/')) throw createNoSuchPathError();
  return { ...parameters, subject, path };
}

function readOwnParameters({ resource, path, pathParameters }: ApiEvent): PathParameters {
  const own = segmentsOf(resource);
  const parts = path.split('/');
  // The rest of a path is one part of it.
  if (own.at(-1)?.isRest) parts.push(parts.splice(own.length - 1).join('/'));
  if (parts.length !== own.length) throw createNoSuchPathError();
  const parameters: Record<string, string> = {};
  for (let index = 0; index < own.length; index += 1) {
    const { text = '', name, isRest } = own[index] ?? {};
    const part = parts[index] ?? '';
    if (name === undefined) {
      if (part !== text) throw createNoSuchPathError();
      continue;
    }
    const value = isRest ? part : decodeSegment(part);
    const given = pathParameters?.[name];
    if (!value || (given !== part && fold(given) !== fold(part))) throw createNoSuchPathError();
    parameters[name] = value;
  }
  return parameters;
}

/** Folds what may differ in a parameter of API Gateway's: escapes, and slashes that it leaves out. */
function fold(parameter = ''): string {
  return (decode(parameter) ?? parameter).split('/').filter(Boolean).join('/');
}

/** Decodes a segment that is written as a client writes it; another spelling of it is no path of the API. */
function decodeSegment(raw: string): string | undefined {
  const value = raw.includes('%') ? decodeEscapes(raw) : raw;
  return value === undefined || DELIMITER.test(value) ? undefined : value;
}

function decodeEscapes(raw: string): string | undefined {
  return NEEDLESS_ESCAPE.test(raw) ? undefined : decode(raw);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function createNoSuchPathError(): BrokerError {
  return new BrokerError('not_found', 'There is no such path: it must be the route’s own, to the character.');
}

/** Finds the connection that the path names, as a parameter or in the resource itself. Throws `unknown_connection`. */
export function requireConnection(
  { event, parameters }: { readonly event: ApiEvent; readonly parameters: PathParameters },
  connections: Readonly<Record<string, Connection>>,
): Connection {
  const name = parameters['connection'] ?? findResourceConnection(event.resource) ?? '';
  const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
  if (connection === undefined) {
    throw new BrokerError('unknown_connection', 'There is no connection of this name. GET /connections lists them.');
  }
  return connection;
}

/** Parameters that a client adds which signs by the query (SigV4), and that the route need not know. */
const SIGNING_PARAMETER = /^x-amz-/i;

/** Throws `invalid_request` where the query has a parameter that the route does not know: it may be misspelt. */
export function requireKnownQuery({ multiValueQueryStringParameters: query }: ApiEvent, known?: string): void {
  if (!query) return;
  for (const name of Object.keys(query)) {
    if (name === known || SIGNING_PARAMETER.test(name)) continue;
    const parameters = known === undefined ? 'no parameter' : `the parameter ${known}, and no other`;
    throw new BrokerError('invalid_request', `The query of this route has ${parameters}.`);
  }
}

/** The error of a proxied call to a connection that declares no proxy. */
export function createNoProxyError(connection: Connection): BrokerError {
  return new BrokerError('not_found', `The connection ${connection.name} declares no proxy.`);
}

/**
 * Parses the `min_ttl` of the query, in seconds. Throws `invalid_request` for anything but one whole number, and for
 * every other parameter.
 */
export function parseMinTtl(event: ApiEvent): number | undefined {
  requireKnownQuery(event, 'min_ttl');
  const given = event.multiValueQueryStringParameters?.['min_ttl'];
  if (given === undefined) return undefined;
  const [text = ''] = given;
  if (given.length !== 1 || !SECONDS_PATTERN.test(text)) {
    throw new BrokerError('invalid_request', 'min_ttl must be given once, as a whole number of seconds: min_ttl=300.');
  }
  return Number(text);
}
