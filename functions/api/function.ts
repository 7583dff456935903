import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import type { Clock, Telemetry } from '../core/words/platform.ts';
import { computeDeadline, withinTime } from './deadline.ts';
import { type ApiEvent, type PathParameters, readParameters, requireCaller } from './request.ts';

/** A request to the API, with who makes it and how long it may take. */
export interface ApiCall {
  readonly event: ApiEvent;
  readonly parameters: PathParameters;
  /** ARN of the IAM principal. */
  readonly caller: string;
  readonly requestId: string;
  /** Latest time for the answer; monotonic milliseconds. */
  readonly deadline: number;
}

/** Dependencies of a function behind the API. */
export interface ApiFunctionOptions {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** A header that marks our own errors with their code, for where answers of others come the same way. */
  readonly errorHeader?: string;
}

/** The answer of a function behind the API (Lambda proxy integration). */
export type ApiResponse = APIGatewayProxyResult;

/** Lambda's handler of a function behind the API. */
export type ApiHandler = (event: ApiEvent, context: Context) => Promise<ApiResponse>;

/**
 * Wraps the work of a function behind the API: a caller without an identity is denied before anything else, every
 * error becomes a problem response, and time that runs out is `deadline_exceeded` rather than an empty 500.
 */
export function createApiFunction(
  { clock, telemetry, errorHeader }: ApiFunctionOptions,
  answer: (call: ApiCall) => Promise<ApiResponse>,
): ApiHandler {
  async function answerError(thrown: unknown, event: ApiEvent): Promise<ApiResponse> {
    // Loaded with the first error: what is handed out needs none of it.
    const { createProblemResponse, reportUnforeseen, toBrokerError } = await import('./problem.ts');
    const { requestId } = event.requestContext;
    const error = toBrokerError(thrown);
    const { code, status } = error;
    if (code === 'internal') reportUnforeseen(telemetry, thrown, requestId);
    telemetry.info('A request was answered with an error.', { code, status, route: routeOf(event), requestId });
    const problem = createProblemResponse(error, requestId);
    const marked = errorHeader === undefined ? {} : { [errorHeader]: code };
    return { ...problem, headers: { ...problem.headers, ...marked } };
  }

  return async (event, context) => {
    try {
      const { requestId } = event.requestContext;
      const deadline = computeDeadline(clock, context);
      return await withinTime(context, async () => {
        const parameters = readParameters(event);
        return answer({ event, parameters, caller: requireCaller(event), requestId, deadline });
      });
    } catch (error) {
      return answerError(error, event);
    }
  };
}

/** Names the route of a request, for logs: method and resource, and so nothing that a caller makes up. */
export function routeOf({ httpMethod, resource }: ApiEvent): string {
  return `${httpMethod} ${resource}`;
}
