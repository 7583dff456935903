import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiCall } from '../api/function.ts';
import { createJsonResponse } from '../api/json-response.ts';
import { requireConnection, requireKnownQuery } from '../api/request.ts';
import { createTryLogin, type Tried } from '../core/operate/try-login.ts';
import type { Connection } from '../core/slot/connection.ts';
import { requireSlot, SYSTEM } from '../core/slot/slot.ts';
import { parseTryBody } from './try-body.ts';

/** Creates the answer to an operator's try of a login. */
export function createTry({
  connections,
  ...dependencies
}: Parameters<typeof createTryLogin>[0] & {
  readonly connections: Readonly<Record<string, Connection>>;
}): (call: ApiCall) => Promise<APIGatewayProxyResult> {
  const tryLogin = createTryLogin(dependencies);
  return async (call) => {
    const connection = requireConnection(call, connections);
    requireKnownQuery(call.event);
    const { subject = SYSTEM, candidate = false } = parseTryBody(call.event);
    const slot = requireSlot(connection, subject);
    const tried = await tryLogin({ connection, slot, candidate, ...call });
    const { name, provider } = connection;
    return createJsonResponse(200, { connection: name, subject, provider: provider.name, ...triedJson(tried) });
  };
}

function triedJson({ trial, candidate, outcome: { outcome, ...rest } }: Tried) {
  const result =
    'code' in rest
      ? { outcome, code: rest.code, detail: rest.detail, retry_after_seconds: secondsOf(rest.retryAfterMs) }
      : { outcome, ...('generation' in rest && { generation: rest.generation }) };
  if (candidate === undefined) return { ...trial, result };
  const { versionId, isCurrent } = candidate;
  return { ...trial, candidate: { version_id: versionId, current: isCurrent }, result };
}

function secondsOf(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.max(1, Math.ceil(milliseconds / 1000));
}
