import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { BrokerError } from '../core/errors.ts';
import type { Clock, Telemetry } from '../core/ports.ts';
import { brokerErrorOf, problemResponse } from './problem.ts';
import { type ApiEvent, callerOf } from './request.ts';

/** The part of the Lambda's timeout that is kept for answering `deadline_exceeded`: 24 s of 28 are for the work. */
const ANSWERING_MS = 4_000;
/** What the work itself keeps free of those 24 s. */
const FINISHING_MS = 1_000;

/** A request to the API, with who makes it and how long it may take. */
export interface ApiCall {
  readonly event: ApiEvent;
  /** ARN of the IAM principal. */
  readonly caller: string;
  readonly requestId: string;
  /** When the answer must be ready; monotonic milliseconds. */
  readonly deadline: number;
}

export interface ApiFunctionOptions {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** A header that marks our own errors with their code, for where answers of others come the same way. */
  readonly errorHeader?: string;
}

export type ApiResponse = APIGatewayProxyStructuredResultV2;

export type ApiHandler = (event: ApiEvent, context: Context) => Promise<ApiResponse>;

/**
 * Wraps the work of a function behind the API: a caller without an identity is denied before anything else, every
 * error becomes a problem response, and time that runs out is `deadline_exceeded` rather than an empty 500.
 */
export function createApiFunction(
  { clock, telemetry, errorHeader }: ApiFunctionOptions,
  answer: (call: ApiCall) => Promise<ApiResponse>,
): ApiHandler {
  function answerError(thrown: unknown, { requestContext: { requestId, routeKey } }: ApiEvent): ApiResponse {
    const error = brokerErrorOf(thrown);
    const { code, status } = error;
    if (code === 'internal') reportUnforeseen(telemetry, thrown, requestId);
    telemetry.info('A request was answered with an error.', { code, status, routeKey, requestId });
    const problem = problemResponse(error, requestId);
    const marked = errorHeader === undefined ? {} : { [errorHeader]: code };
    return { ...problem, headers: { ...problem.headers, ...marked } };
  }

  async function work(event: ApiEvent, leftMs: number): Promise<ApiResponse> {
    const { requestId } = event.requestContext;
    const deadline = clock.monotonic() + leftMs - FINISHING_MS;
    return answer({ event, caller: callerOf(event), requestId, deadline });
  }

  return async (event, context) => {
    try {
      const leftMs = context.getRemainingTimeInMillis() - ANSWERING_MS;
      return await withinTime(leftMs, work(event, leftMs));
    } catch (error) {
      return answerError(error, event);
    }
  };
}

/** What the work comes to, or `deadline_exceeded` once its time is over; the work itself cannot be stopped. */
function withinTime<T>(leftMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BrokerError('deadline_exceeded', 'The request took longer than the broker may take. Ask again.'));
    }, leftMs);
    const settled = () => clearTimeout(timer);
    work.then(resolve, reject).then(settled);
  });
}

/** Says where an unforeseen error came from, but not its message: that may quote anything. */
function reportUnforeseen(telemetry: Telemetry, error: unknown, requestId: string): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' };
  const at = (stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 5);
  telemetry.warn('Something unforeseen was thrown.', { name, at: at.join(' '), requestId });
}
