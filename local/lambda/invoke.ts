import type { Context } from 'aws-lambda';

/**
 * Lambda handler that returns a promise, for any type of event.
 *
 * The type `never` allows handlers of different events in one table.
 */
export type LambdaHandler = (event: never, context: Context) => Promise<unknown>;

/** One invocation. The caller guarantees that `event` has the shape that `handler` takes. */
export interface Invocation {
  readonly handler: LambdaHandler;
  readonly event: unknown;
  readonly context: Context;
  readonly timeoutMs: number;
}

/** Outcome of an invocation. `failed` holds the thrown value, which may hold anything and is not for clients. */
export type InvocationOutcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timed-out'; readonly timeoutMs: number };

/**
 * Runs a handler to its end or to its timeout, and never rejects or throws.
 *
 * Lambda kills a function at its timeout. Within one process that is impossible, so a late result or error is dropped
 * and the handler runs on. The timer uses real time.
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

// Async, so that a handler that throws before its first await rejects like any other.
async function run(handler: LambdaHandler, event: unknown, context: Context): Promise<unknown> {
  // The table of handlers has no types of events; the caller of `Invocation` guarantees the shape.
  return handler(event as never, context);
}
