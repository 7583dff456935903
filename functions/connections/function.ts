import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ApiCall, type ApiHandler, createApiFunction, routeOf } from '../api/function.ts';
import { createJsonResponse } from '../api/json-response.ts';
import { createNoProxyError, requireConnection, requireKnownQuery } from '../api/request.ts';
import { isoSeconds } from '../api/response.ts';
import { methodsOf, PROXY } from '../api/routes.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createLazyMinter } from '../composition/lazy-minter.ts';
import { once } from '../composition/once.ts';
import { isPlainHttp } from '../configuration/origins.ts';
import { createPurge } from '../core/operate/purge.ts';
import {
  type CredentialStatus,
  createCredentialStatus,
  createSlotListing,
  type SlotStatus,
} from '../core/operate/status.ts';
import type { Connection } from '../core/slot/connection.ts';
import { signingKeyFor } from '../core/slot/signing-key.ts';
import { describeUser, requireSlot, userKeyOf } from '../core/slot/slot.ts';
import { BrokerError } from '../core/words/errors.ts';
import { ERROR_HEADER } from '../core/words/marks.ts';
import { algorithmOf } from '../providers/names.ts';

/** The resource of the proxy for every connection that declares none. */
const UNPROXIED = `${PROXY}{connection}/{path+}`;

/** Composes the function of the operators: states, tries and purge, and every 404 and 405 of the API. */
export function composeConnectionsFunction(surroundings: Surroundings): ApiHandler {
  const instance = createInstance('connections', surroundings);
  const { connections } = instance;
  const listSlots = createSlotListing(instance);
  const credentialOf = createCredentialStatus(instance);
  const minter = createLazyMinter(surroundings.environment);
  const purge = createPurge({ ...instance, minter });
  // Load it only to try a login: nothing else needs the lease and the parser of bodies.
  const answerTry = once(async () => {
    const { createTry } = await import('./try.ts');
    return createTry({ ...instance, minter });
  });

  const answers: Readonly<Record<string, (call: ApiCall) => Promise<APIGatewayProxyResult>>> = {
    'GET /connections': async ({ event }) => {
      requireKnownQuery(event);
      return createJsonResponse(200, { connections: Object.values(connections).map(summaryOf) });
    },

    'GET /connections/{connection}': async (call) => {
      const connection = requireConnection(call, connections);
      requireKnownQuery(call.event, 'next');
      // One after the other, so that where the store fails no read outlives the answer.
      const { slots, next } = await listSlots(connection, call.event.queryStringParameters?.['next']);
      const credential = await credentialOf(connection);
      const about = { ...summaryOf(connection), ...writtenOf(connection), credential: credentialJson(credential) };
      const page = { ...about, slots: slots.map(slotJson) };
      return createJsonResponse(200, next === undefined ? page : { ...page, next });
    },

    'POST /connections/{connection}/try': async (call) => (await answerTry())(call),

    'DELETE /tokens/{connection}/{subject}': async (call) => {
      const connection = requireConnection(call, connections);
      const slot = requireSlot(connection, call.parameters['subject'] ?? '');
      requireKnownQuery(call.event);
      await purge({ connection, slot, caller: call.caller, requestId: call.requestId });
      return { statusCode: 204, headers: { 'cache-control': 'no-store' }, body: '' };
    },
  };

  // It answers for connections without a proxy too, where callers tell our errors from an upstream's by this header.
  return createApiFunction({ ...instance, errorHeader: ERROR_HEADER }, async (call) => {
    const { resource } = call.event;
    const route = routeOf(call.event);
    const answer = Object.hasOwn(answers, route) ? answers[route] : undefined;
    if (answer !== undefined) return answer(call);

    if (resource === UNPROXIED) throw createNoProxyError(requireConnection(call, connections));
    const allow = methodsOf(resource);
    if (allow.length === 0) {
      throw new BrokerError('not_found', 'There is no such route. A token is at /tokens/{connection}/{subject}.');
    }
    throw new BrokerError('method_not_allowed', `This route has ${allow.join(', ')} only.`, { allow });
  });
}

function summaryOf(connection: Connection) {
  const { name, provider, baseUrl } = connection;
  const summary = {
    name,
    provider: provider.name,
    lifetime_seconds: connection.lifetimeSeconds ?? connection.maxTokenAgeSeconds,
  };
  return isPlainHttp(baseUrl)
    ? { ...summary, warning: 'allowPlainHttp: credentials and tokens travel to this upstream in the clear' }
    : summary;
}

/** Describes the name and form of a connection's secret, and its subjects, for whoever sets or asks for them. */
function writtenOf({ provider, subjects, settings, secret, keptSecret }: Connection) {
  const { secretFields, userSubject } = provider;
  const fields = Object.entries(secretFields).map(
    ([name, { kind = 'text', optional = false, without, suspect, rotates }]) => {
      const algorithm = algorithmOf(name, provider, settings);
      const key = algorithm && signingKeyFor(algorithm);
      return {
        name,
        kind,
        required: !optional,
        ...(without !== undefined && { without }),
        ...(suspect !== undefined && { suspect }),
        ...(rotates !== undefined && { rotates: true }),
        ...(key !== undefined && { key: { algorithm, ...key } }),
      };
    },
  );
  const { users } = subjects;
  const isServed = userSubject !== undefined && users !== false;
  const written = isServed
    ? {
        key: userKeyOf(provider),
        pattern: userSubject.pattern,
        words: describeUser(userSubject),
        listed: users === true ? null : users,
      }
    : null;
  return {
    secret,
    secret_fields: fields,
    ...(keptSecret !== undefined && { kept_secret: keptSecret }),
    subjects: { system: subjects.system, users: written },
  };
}

function slotJson({ subject, state, issuedAt, expiresAt, refreshAt, generation, lastError, warning }: SlotStatus) {
  const time = (epochMs: number | undefined) => (epochMs === undefined ? null : isoSeconds(epochMs));
  return {
    subject,
    state,
    issued_at: time(issuedAt),
    expires_at: time(expiresAt),
    refresh_at: time(refreshAt),
    generation,
    last_error: lastError === undefined ? null : failureJson(lastError),
    ...(warning !== undefined && { warning }),
  };
}

function credentialJson({ standing, takesCandidates, failedCandidate }: CredentialStatus) {
  return {
    standing,
    takes_candidates: takesCandidates,
    ...(failedCandidate !== undefined && { failed_candidate: failureJson(failedCandidate) }),
  };
}

function failureJson({ code, at, evidence }: NonNullable<SlotStatus['lastError']>) {
  return { code, at: isoSeconds(at), ...(evidence !== undefined && { evidence }) };
}
