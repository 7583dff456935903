import type { Context } from 'aws-lambda';

/**
 * Any Lambda handler that answers by promise, whatever event it takes.
 *
 * `never` is what lets handlers of different events stand in one table: each takes at least that.
 */
export type LambdaHandler = (event: never, context: Context) => Promise<unknown>;

/** One invocation: `event` must be of the shape that `handler` takes, which the caller vouches for. */
export interface Invocation {
  readonly handler: LambdaHandler;
  readonly event: unknown;
  readonly context: Context;
  readonly timeoutMs: number;
}

/** How an invocation ended. `failed` holds whatever was thrown: it may carry anything, so it is not for clients. */
export type InvocationOutcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timed-out'; readonly timeoutMs: number };

/**
 * Runs a handler to its end or to its timeout, and never rejects or throws.
 *
 * Lambda kills what outlives its timeout; within one process that cannot be done, so a late answer or error is dropped
 * and the handler's remaining work goes on unseen. The timer runs on real time.
 */
export function invokeWithTimeout({ handler, event, context, timeoutMs }: Invocation): Promise<InvocationOutcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'timed-out', timeoutMs }), timeoutMs);
    const settle = (outcome: InvocationOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    run(handler, event, context).then(
      (value) => settle({ kind: 'returned', value }),
      (error: unknown) => settle({ kind: 'failed', error }),
    );
  });
}

// Async, so that a handler that throws before its first await is a rejection like any other.
async function run(handler: LambdaHandler, event: unknown, context: Context): Promise<unknown> {
  // The table of handlers has forgotten each one's event; `Invocation` makes the caller vouch for it.
  return handler(event as never, context);
}
