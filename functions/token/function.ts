import { type ApiHandler, createApiFunction } from '../api/function.ts';
import { type ApiEvent, parseMinTtl, requireConnection } from '../api/request.ts';
import { createHandOutResponse } from '../api/response.ts';
import { createHandOutInstance } from '../composition/hand-out-instance.ts';
import type { Surroundings } from '../composition/instance.ts';
import { warmUp } from '../composition/warm-up.ts';
import { createHandOut, type HandOutDependencies } from '../core/hand-out/hand-out.ts';
import type { Connection } from '../core/slot/connection.ts';
import { requireSlot } from '../core/slot/slot.ts';

/** Creates the function that hands out tokens: GET, and POST for a caller whose token the upstream rejected. */
export function createTokenFunction(
  dependencies: HandOutDependencies & { readonly connections: Readonly<Record<string, Connection>> },
): ApiHandler {
  const handOut = createHandOut(dependencies);

  return createApiFunction(dependencies, async (call) => {
    const { event, parameters, caller, requestId, deadline } = call;
    const connection = requireConnection(call, dependencies.connections);
    const slot = requireSlot(connection, parameters['subject'] ?? '');
    const minTtlSeconds = parseMinTtl(event);
    const rejectedHash = event.httpMethod === 'POST' ? await loadRejectedHash(event) : undefined;
    const handedOut = await handOut({ connection, slot, caller, requestId, deadline, minTtlSeconds, rejectedHash });
    return createHandOutResponse(connection, slot, handedOut, { now: dependencies.clock.now() });
  });
}

/** Loads what reads such a body with the first of them: few callers ever send one. */
async function loadRejectedHash(event: ApiEvent): Promise<string> {
  const { parseRejectedHash } = await import('./rejection.ts');
  return parseRejectedHash(event);
}

/** Composes the function that hands out tokens from its environment. */
export function composeTokenFunction(surroundings: Surroundings): ApiHandler {
  return createTokenFunction(createHandOutInstance('token', surroundings));
}

/** Composes it and warms it up, for an instance that has the time before its first request. */
export async function composeWarmTokenFunction(surroundings: Surroundings): Promise<ApiHandler> {
  const instance = createHandOutInstance('token', surroundings);
  await warmUp(instance);
  return createTokenFunction(instance);
}
