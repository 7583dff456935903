import { type InvocationOutcome, invokeWithTimeout, type LambdaHandler } from '../lambda/invoke.ts';
import { createLambdaContext, localFunctionArn } from '../lambda/lambda-context.ts';
import { AwsError } from './aws-error.ts';
import type { LoopbackReply, LoopbackRequest } from './loopback-server.ts';
import { settleWithin } from './settle-within.ts';

/** A function that can be invoked through the loopback endpoint. */
export interface LoopbackFunction {
  readonly handler: LambdaHandler;
  readonly timeoutMs: number;
}

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
  readonly functions: ReadonlyMap<string, LoopbackFunction>;
  readonly onFunctionError: (report: FunctionErrorReport) => void;
}

/** Limits on events: `RequestResponse`, and `Event` (1 MB since October 2025). */
export const MAX_SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024;
const MAX_ASYNC_PAYLOAD_BYTES = 1024 * 1024;

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?.*)?$/;
const ARN_OR_PARTIAL_ARN = /^(?:arn:aws:lambda:[^:]+:\d+:function:|\d+:function:)/;

/** Reports whether a request is Lambda's Invoke. */
export function isInvoke({ method, target }: LoopbackRequest): boolean {
  return method === 'POST' && INVOKE_PATH.test(target);
}

/**
 * Creates an invoker of `functions`, which are known by name, partial ARN or ARN, percent-encoded or not.
 *
 * `RequestResponse` waits for the end; a function's own failure is a 200 with `X-Amz-Function-Error` and the error's
 * type and message, never its stack. `Event` is answered 202 at once, and its failure is only reported. There are no
 * retries of asynchronous invocations, as the deployed functions have none.
 */
export function createLambdaInvoker({ functions, onFunctionError }: LambdaInvokerOptions): LambdaInvoker {
  const running = new Set<Promise<unknown>>();

  function invoke(
    name: string,
    target: LoopbackFunction,
    event: unknown,
    requestId: string,
  ): Promise<InvocationOutcome> {
    const run = runAndReport(name, target, event, requestId);
    running.add(run);
    void run.finally(() => running.delete(run));
    return run;
  }

  async function runAndReport(
    name: string,
    target: LoopbackFunction,
    event: unknown,
    requestId: string,
  ): Promise<InvocationOutcome> {
    const { handler, timeoutMs } = target;
    const context = createLambdaContext({ functionName: name, requestId, timeoutMs, now: Date.now });
    const outcome = await invokeWithTimeout({ handler, event, context, timeoutMs });
    if (outcome.kind !== 'returned') {
      onFunctionError({ functionName: name, requestId, reason: reasonOf(outcome) });
    }
    return outcome;
  }

  return {
    async answer(request, requestId) {
      const name = functionNameIn(request.target);
      const target = functions.get(name);
      if (target === undefined) {
        throw new AwsError(404, 'ResourceNotFoundException', `Function not found: ${localFunctionArn(name)}`);
      }
      const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      if (type !== 'RequestResponse' && type !== 'Event' && type !== 'DryRun') {
        throw new AwsError(400, 'InvalidParameterValueException', 'the invocation type is unknown');
      }
      const limit = type === 'Event' ? MAX_ASYNC_PAYLOAD_BYTES : MAX_SYNC_PAYLOAD_BYTES;
      if (request.body.length > limit) {
        throw new AwsError(413, 'RequestTooLargeException', `the payload is larger than ${limit} bytes`);
      }
      const event = parseEvent(request.body);

      if (type === 'DryRun') return { status: 204, headers: {}, body: '' };
      if (type === 'Event') {
        void invoke(name, target, event, requestId);
        return { status: 202, headers: {}, body: '' };
      }
      return replyTo(await invoke(name, target, event, requestId), requestId);
    },

    drain: (graceMs) => settleWithin(running, graceMs),
  };
}

function functionNameIn(target: string): string {
  const encoded = INVOKE_PATH.exec(target)?.[1] ?? '';
  let id: string;
  try {
    id = decodeURIComponent(encoded);
  } catch {
    throw new AwsError(400, 'InvalidParameterValueException', 'the function name is not percent-encoded properly');
  }
  return id.replace(ARN_OR_PARTIAL_ARN, '').replace(/:\$LATEST$/, '');
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
