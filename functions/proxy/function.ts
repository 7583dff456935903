import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ApiHandler, createApiFunction } from '../api/function.ts';
import { type ApiEvent, createNoProxyError, requireConnection } from '../api/request.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import { createHandOutInstance } from '../composition/hand-out-instance.ts';
import type { Surroundings } from '../composition/instance.ts';
import type { ForwardedAnswer } from '../core/proxy/forwarder.ts';
import { createProxy } from '../core/proxy/proxy.ts';
import { requireSlot, type Slot } from '../core/slot/slot.ts';
import { BrokerError } from '../core/words/errors.ts';
import { ERROR_HEADER, UPSTREAM_HEADER } from '../core/words/marks.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { writeAnswerHeaders } from '../http/forwarded-headers.ts';
import { createForwarder } from '../providers/engine/forward.ts';
import { buildForwardedRequest } from './forwarded-request.ts';
import { assertAllowed } from './path.ts';

/**
 * Composes the function that forwards requests to the upstreams of one isolation group. IAM says who may call it
 * (`grantProxy`), the connection's policy with which methods and paths.
 */
export function composeProxyFunction(surroundings: Surroundings): ApiHandler {
  const instance = createHandOutInstance('proxy', surroundings);
  const { connections, clock } = instance;
  const isolation = readRequired(surroundings.environment, VARIABLES.isolation);
  const forwarder = createForwarder({ http: createUpstreamHttp(), clock });
  const proxy = createProxy({ ...instance, opensClosed: true, forwarder });

  return createApiFunction({ ...instance, errorHeader: ERROR_HEADER }, async (apiCall) => {
    const { event, parameters, ...call } = apiCall;
    const connection = requireConnection(apiCall, connections);
    const policy = connection.proxy;
    if (policy === undefined || connection.isolation !== isolation) throw createNoProxyError(connection);
    const slot = requireSlot(connection, parameters['subject'] ?? '');
    const request = buildForwardedRequest(apiCall, connection, policy);
    assertAllowed(policy, request, connection);
    return buildResponse(await proxy({ ...call, connection, policy, slot, request }), slot, event);
  });
}

/** Limit of Lambda on the JSON of an answer, in bytes. */
const MAXIMUM_RESPONSE_BYTES = 6_291_556;
/** Size of a body beside which no headers are too large. */
const SURELY_SMALL_BYTES = 4_000_000;

/**
 * Writes the upstream's answer, in base64 whatever it is, so that every byte arrives as it was sent. A `location` behind
 * the base URL leads through the proxy again. Throws `upstream_response_too_large` for what Lambda cannot return.
 */
function buildResponse(
  { status, headers, body, behindBase }: ForwardedAnswer,
  { connection, subject }: Slot,
  { httpMethod, path, requestContext }: ApiEvent,
): APIGatewayProxyResult {
  const written: Record<string, string> = { ...writeAnswerHeaders(headers), [UPSTREAM_HEADER]: connection };
  if (behindBase !== undefined) {
    // The path of the caller's URL has the stage before the resource; behind a name of one's own it has none.
    const before = requestContext.path.endsWith(path) ? requestContext.path.slice(0, -path.length) : '';
    written['location'] = `${before}/proxy/${connection}/${subject}${behindBase}`;
  }
  const hasBody = body.length > 0 && httpMethod !== 'HEAD';
  const encoded = hasBody ? { body: Buffer.from(body).toString('base64'), isBase64Encoded: true } : { body: '' };
  const response = { statusCode: status, headers: written, ...encoded };
  if (body.length < SURELY_SMALL_BYTES || JSON.stringify(response).length <= MAXIMUM_RESPONSE_BYTES) return response;
  throw new BrokerError(
    'upstream_response_too_large',
    "The upstream's answer is larger than can be passed on, with its headers. Ask it for less.",
  );
}
