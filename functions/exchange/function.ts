import { createDynamodbClient } from '../adapters/dynamodb/client.ts';
import { createUsedJwts } from '../adapters/dynamodb/used-jwts.ts';
import { computeDeadline } from '../api/deadline.ts';
import { type ApiHandler, type ApiResponse, routeOf } from '../api/function.ts';
import { withMiddleware } from '../api/middleware.ts';
import { reportUnforeseen } from '../api/problem.ts';
import { type ApiEvent, readParameters } from '../api/request.ts';
import { createHandOutResponse } from '../api/response.ts';
import { readRequired, VARIABLES } from '../composition/environment.ts';
import { createHandOutInstance } from '../composition/hand-out-instance.ts';
import type { Surroundings } from '../composition/instance.ts';
import type { Trust } from '../configuration/trust.ts';
import { createHandOut } from '../core/hand-out/hand-out.ts';
import type { Connection } from '../core/slot/connection.ts';
import { requireSlot } from '../core/slot/slot.ts';
import { CLOCK_SKEW_MS } from '../core/slot/token.ts';
import { BrokerError } from '../core/words/errors.ts';
import { createUpstreamHttp } from '../http/client.ts';
import { createExchangeErrorResponse, ExchangeError, NOT_ACCEPTED, toExchangeError } from './exchange-error.ts';
import { ACCESS_TOKEN, type ExchangeRequest, parseExchangeRequest } from './exchange-request.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { findTrust, keySourcesOf } from './trust-rules.ts';
import { createWorkloadVerifier, readUnverifiedIssuer, type Workload } from './workload.ts';

const NO_RULE = 'No trust rule lets this workload have tokens of this audience and subject.';

/**
 * Composes the function that exchanges a workload's JWT for an upstream's token (RFC 8693): the only one that nobody
 * needs an AWS identity for. What it believes is a signature of an issuer that a trust rule names, and nothing is said
 * of connections, subjects or rules to whoever has none.
 */
export function composeExchangeFunction(surroundings: Surroundings): ApiHandler {
  const { environment } = surroundings;
  const instance = createHandOutInstance('exchange', surroundings);
  const { clock, telemetry } = instance;
  const { trust } = instance.configuration;
  const handOut = createHandOut(instance);
  const verify = createWorkloadVerifier({ keys: createIssuerKeys({ ...instance, http: createUpstreamHttp() }), clock });

  const useJwt = createUsedJwts({
    client: createDynamodbClient(environment),
    table: readRequired(environment, VARIABLES.table),
  });

  /** The workload, if a rule lets it have what it asks for. Tries every place of keys that the rules name. */
  async function trustedWorkload(request: ExchangeRequest, requestId: string): Promise<Workload> {
    if (trust.length === 0) throw new ExchangeError('invalid_target', 'This broker trusts no workload.');
    const sources = keySourcesOf(trust, readUnverifiedIssuer(request.subjectToken));
    if (sources.length === 0) {
      throw new ExchangeError('invalid_request', NOT_ACCEPTED, { reason: 'Its issuer is in no trust rule.' });
    }
    const outcomes = await Promise.allSettled(sources.map((source) => verify(request.subjectToken, source)));
    const failures: unknown[] = [];
    for (const [index, source] of sources.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status !== 'fulfilled') {
        failures.push(outcome?.reason);
        continue;
      }
      const workload = outcome.value;
      // Logged only now: before the signature holds, claims are anybody's text.
      const { issuer, subject } = workload;
      telemetry.info('A subject token was verified.', { issuer, subject, requestId });
      const rule = findTrust(trust, { workload, source, wanted: request, now: clock.now() });
      if (rule?.once === true) await requireUnused(workload, rule);
      if (rule !== undefined) return workload;
    }
    // A source of keys that did not answer could be the one that verifies the token.
    const trouble = failures.find((failure) => toExchangeError(failure).error === 'temporarily_unavailable');
    if (trouble !== undefined) throw trouble;
    if (failures.length === sources.length) throw failures[0];
    throw new ExchangeError('invalid_target', NO_RULE);
  }

  async function requireUnused({ issuer, claims: { jti, exp } }: Workload, { maxAgeSeconds }: Trust): Promise<void> {
    // Past both, the JWT is refused for its age or its end.
    const lastsMs = Math.max(maxAgeSeconds * 1000, Number(exp) * 1000 - clock.now());
    // A finite `exp` may still be beyond every number that the store keeps.
    const until = Math.min(clock.now() + lastsMs + CLOCK_SKEW_MS, Number.MAX_SAFE_INTEGER);
    if (await useJwt({ issuer, jti: String(jti), until })) return;
    throw new ExchangeError('invalid_request', NOT_ACCEPTED, {
      reason: 'It was exchanged before, and may be only once.',
    });
  }

  async function exchange(event: ApiEvent, deadline: number): Promise<ApiResponse> {
    const { requestId } = event.requestContext;
    readParameters(event);
    const request = parseExchangeRequest(event);
    const workload = await trustedWorkload(request, requestId);
    const connection = declared(instance.connections, request.connection);
    const slot = requireSlot(connection, request.subject);
    const caller = `${workload.issuer}#${workload.subject}`;
    const handedOut = await handOut({ connection, slot, caller, requestId, deadline, via: 'exchange' });
    return createHandOutResponse(connection, slot, handedOut, { now: clock.now(), issuedTokenType: ACCESS_TOKEN });
  }

  function answerError(thrown: unknown, event: ApiEvent): ApiResponse {
    const { requestId } = event.requestContext;
    const error = toExchangeError(thrown);
    const { status, detail, reason = detail } = error;
    if (error.error === 'server_error') reportUnforeseen(telemetry, thrown, requestId);
    const code = error.brokerError?.code ?? error.error;
    telemetry.info('An exchange was refused.', { code, detail: reason, status, route: routeOf(event), requestId });
    return createExchangeErrorResponse(error, requestId);
  }

  return withMiddleware({ telemetry, answerError }, (event, context) =>
    exchange(event, computeDeadline(clock, context)),
  );
}

/** A rule names declared connections only; this one was declared when the configuration was checked. */
function declared(connections: Readonly<Record<string, Connection>>, name: string): Connection {
  const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
  if (connection === undefined) throw new BrokerError('unknown_connection', 'There is no connection of this name.');
  return connection;
}
