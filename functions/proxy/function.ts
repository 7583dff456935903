import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ApiHandler, createApiFunction } from '../api/function.ts';
import { createNoProxyError } from '../api/problem.ts';
import { type ApiEvent, requireConnection } from '../api/request.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import { createHandOutInstance } from '../composition/hand-out-instance.ts';
import type { Surroundings } from '../composition/instance.ts';
import type { ForwardedAnswer } from '../core/proxy/forwarder.ts';
import { createProxy } from '../core/proxy/proxy.ts';
import { requireSlot } from '../core/slot/slot.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { ERROR_HEADER } from '../http/forwarded-headers.ts';
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

  return createApiFunction({ ...instance, errorHeader: ERROR_HEADER }, async ({ event, ...call }) => {
    const connection = requireConnection(event, connections);
    const policy = connection.proxy;
    if (policy === undefined || connection.isolation !== isolation) throw createNoProxyError(connection);
    const slot = requireSlot(connection, event.pathParameters?.['subject'] ?? '');
    const request = buildForwardedRequest(event, connection, policy);
    assertAllowed(policy, request, connection);
    return buildResponse(await proxy({ ...call, connection, policy, slot, request }), event);
  });
}

/** Writes the upstream's answer, in base64 whatever it is, so that every byte arrives as it was sent. */
function buildResponse({ status, headers, body }: ForwardedAnswer, event: ApiEvent): APIGatewayProxyStructuredResultV2 {
  const joined = Object.entries(headers).map(([name, values]) => [name, values.join(', ')]);
  const hasBody = body.length > 0 && event.requestContext.http.method !== 'HEAD';
  return {
    statusCode: status,
    headers: Object.fromEntries(joined),
    ...(hasBody ? { body: Buffer.from(body).toString('base64'), isBase64Encoded: true } : {}),
  };
}
