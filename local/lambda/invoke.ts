import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { createLambdaContext } from './lambda-context.ts';

/**
 * Lambda handler that returns a promise, for any type of event.
 *
 * The type `never` allows handlers of different events in one table.
 */
export type LambdaHandler = (event: never, context: Context) => Promise<unknown>;

/** Function as Lambda has it, apart from its name. */
export interface LocalFunction {
  readonly handler: LambdaHandler;
  readonly timeoutMs: number;
}

/** Outcome of an invocation. `failed` holds the thrown value, which may hold anything and is not for clients. */
export type InvocationOutcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timed-out'; readonly timeoutMs: number };

/**
 * Runs a function to its end, to its timeout or for `withinMs`, and never rejects or throws. The caller guarantees that
 * `event` has the shape that the handler takes.
 *
 * Lambda kills a function at its timeout. Within one process that is impossible, so a late result or error is dropped
 * and the handler runs on. The timer uses real time.
 */
export function invoke(
  { functionName, handler, timeoutMs }: LocalFunction & { readonly functionName: string },
  event: unknown,
  {
    requestId = randomUUID(),
    withinMs = timeoutMs,
    now = Date.now,
  }: { readonly requestId?: string; readonly withinMs?: number; readonly now?: () => number } = {},
): Promise<InvocationOutcome> {
  const context = createLambdaContext({ functionName, requestId, timeoutMs, now });
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'timed-out', timeoutMs: withinMs }), withinMs);
    const settle = (outcome: InvocationOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    // The table of handlers has no types of events. With `Promise.try` a throw before the first await rejects as well.
    Promise.try(handler, event as never, context).then(
      (value) => settle({ kind: 'returned', value }),
      (error: unknown) => settle({ kind: 'failed', error }),
    );
  });
}
