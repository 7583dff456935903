import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Telemetry } from '../core/words/platform.ts';
import { ANSWERING_MS, createDeadlineError } from './deadline.ts';
import { reportUnforeseen, toBrokerError } from './problem.ts';

/** Settings and dependencies of the middleware. */
export interface MiddlewareOptions<Event, Result> {
  readonly telemetry: Telemetry;
  /** Logs an error and makes the answer of it; for a function behind the API. */
  readonly answerError?: (error: unknown, event: Event) => Result;
}

/**
 * Wraps the work of a function in its middleware.
 *
 * - Behind the API (`exchange`): every error becomes an answer, and so does time that runs out.
 * - Else (`mint`, `refresh`, `rotation`): an error is logged and thrown, so that Lambda counts it and tells the invoker
 *   or the failure destination. What is unforeseen is thrown as `internal`: Lambda logs and passes on whatever message
 *   there is, and that one may quote anything. There is no early time-out: the work would go on in the next invocation
 *   (invariant 14), and Lambda ends it for good.
 *
 * `token`, `proxy` and `connections` have `createApiFunction` instead: middy costs as much as a hand-out (ADR 0005).
 */
export function withMiddleware<Event, Result>(
  { telemetry, answerError }: MiddlewareOptions<Event, Result>,
  work: (event: Event, context: Context) => Promise<Result>,
): (event: Event, context: Context) => Promise<Result> {
  const chain =
    answerError === undefined
      ? middy<Event, Result>({ timeoutEarlyInMillis: 0 }).onError((request) => {
          // Thrown from here instead, an error would get the first one, and its message, as its cause.
          request.error = logFailure(telemetry, request.error, request.context.awsRequestId);
        })
      : middy<Event, Result>({
          timeoutEarlyInMillis: ANSWERING_MS,
          timeoutEarlyResponse: throwDeadlineExceeded,
        }).onError((request) => {
          request.response = answerError(request.error, request.event);
        });
  const handler = chain.handler(work);
  return (event, context) => handler(event, context);
}

function logFailure(telemetry: Telemetry, thrown: unknown, requestId: string): Error {
  const error = toBrokerError(thrown);
  const { code, detail } = error;
  if (code === 'internal') reportUnforeseen(telemetry, thrown, requestId);
  telemetry.warn('An invocation failed.', { code, detail, requestId });
  return error;
}

function throwDeadlineExceeded(): never {
  throw createDeadlineError();
}
