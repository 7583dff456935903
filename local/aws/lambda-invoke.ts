import { type InvocationOutcome, invoke, type LocalFunction } from '../lambda/invoke.ts';
import { localFunctionArn } from '../lambda/lambda-context.ts';
import { AwsError } from './aws-error.ts';
import type { LoopbackReply, LoopbackRequest } from './loopback-server.ts';
import { settleWithin } from './settle-within.ts';

/** Report of a failed invocation. `reason` is the error's type, or that it timed out, never its message. */
export interface FunctionErrorReport {
  readonly functionName: string;
  readonly requestId: string;
  readonly reason: string;
}

/** Invokes functions as Lambda's Invoke does, and keeps track of running invocations. */
export interface LambdaInvoker {
  /** Answers an Invoke request; throws `AwsError` if Lambda would refuse it. */
  answer(request: LoopbackRequest, requestId: string): Promise<LoopbackReply>;
  /** Resolves when no invocation runs any more, or after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Functions of an invoker, and a listener for their failures. */
export interface LambdaInvokerOptions {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly onFunctionError: (report: FunctionErrorReport) => void;
}

/** Limits on events: `RequestResponse`, and `Event` (1 MB since October 2025). */
export const MAX_SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024;
const MAX_ASYNC_PAYLOAD_BYTES = 1024 * 1024;

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?.*)?$/;

/** Reports whether a request is Lambda's Invoke. */
export function isInvoke({ method, target }: LoopbackRequest): boolean {
  return method === 'POST' && INVOKE_PATH.test(target);
}

/**
 * Creates an invoker of `functions`, which are known by name.
 *
 * `RequestResponse` waits for the end; a function's own failure is a 200 with `X-Amz-Function-Error` and the error's
 * type and message, never its stack. `Event` is answered 202 at once, and its failure is only reported. There are no
 * retries of asynchronous invocations, as the deployed functions have none.
 */
export function createLambdaInvoker({ functions, onFunctionError }: LambdaInvokerOptions): LambdaInvoker {
  const running = new Set<Promise<unknown>>();

  async function run(
    functionName: string,
    target: LocalFunction,
    event: unknown,
    requestId: string,
  ): Promise<InvocationOutcome> {
    const invocation = invoke({ functionName, ...target }, event, { requestId });
    running.add(invocation);
    const outcome = await invocation;
    running.delete(invocation);
    if (outcome.kind !== 'returned') onFunctionError({ functionName, requestId, reason: reasonOf(outcome) });
    return outcome;
  }

  return {
    async answer(request, requestId) {
      const name = INVOKE_PATH.exec(request.target)?.[1] ?? '';
      const target = functions.get(name);
      if (target === undefined) {
        throw new AwsError(404, 'ResourceNotFoundException', `Function not found: ${localFunctionArn(name)}`);
      }
      const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      if (type !== 'RequestResponse' && type !== 'Event') {
        throw new AwsError(400, 'InvalidParameterValueException', 'the invocation type is unknown');
      }
      const limit = type === 'Event' ? MAX_ASYNC_PAYLOAD_BYTES : MAX_SYNC_PAYLOAD_BYTES;
      if (request.body.length > limit) {
        throw new AwsError(413, 'RequestTooLargeException', `the payload is larger than ${limit} bytes`);
      }
      const event = parseEvent(request.body);

      if (type === 'Event') {
        void run(name, target, event, requestId);
        return { status: 202, headers: {}, body: '' };
      }
      return replyTo(await run(name, target, event, requestId), requestId);
    },

    drain: (graceMs) => settleWithin(running, graceMs),
  };
}

function parseEvent(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // The message of JSON.parse quotes the input, so it is left out.
    throw new AwsError(400, 'InvalidRequestContentException', 'Could not parse request body into json');
  }
}

function replyTo(outcome: InvocationOutcome, requestId: string): LoopbackReply {
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if (outcome.kind === 'returned') {
    try {
      return { status: 200, headers, body: JSON.stringify(outcome.value) ?? 'null' };
    } catch {
      return failure(headers, {
        errorMessage: 'the answer cannot be written as JSON',
        errorType: 'Runtime.MarshalError',
      });
    }
  }
  if (outcome.kind === 'timed-out') {
    const seconds = (outcome.timeoutMs / 1000).toFixed(2);
    const errorMessage = `${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds`;
    return failure(headers, { errorMessage, errorType: 'Sandbox.Timedout' });
  }
  const { error } = outcome;
  const errorMessage = error instanceof Error ? error.message : String(error);
  return failure(headers, { errorMessage, errorType: typeOf(error) });
}

function failure(
  headers: Readonly<Record<string, string>>,
  body: { readonly errorMessage: string; readonly errorType: string },
): LoopbackReply {
  return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(body) };
}

function reasonOf(outcome: Exclude<InvocationOutcome, { kind: 'returned' }>): string {
  return outcome.kind === 'timed-out'
    ? `timed out after ${outcome.timeoutMs} ms`
    : `failed with ${typeOf(outcome.error)}`;
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
