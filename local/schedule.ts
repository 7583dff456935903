import { randomUUID } from 'node:crypto';
import type { LoopbackFunction } from './aws/loopback-aws.ts';
import { invokeWithTimeout } from './lambda/invoke.ts';
import { createLambdaContext } from './lambda/lambda-context.ts';

/** Runs one function with one event, as a service inside AWS would. `failed` names the error. */
export async function invokeOnce(
  functionName: string,
  { handler, timeoutMs }: LoopbackFunction,
  event: unknown,
): Promise<{ readonly failed: string | undefined }> {
  const context = createLambdaContext({ functionName, requestId: randomUUID(), timeoutMs, now: Date.now });
  const outcome = await invokeWithTimeout({ handler, event, context, timeoutMs });
  if (outcome.kind === 'returned') return { failed: undefined };
  if (outcome.kind === 'timed-out') return { failed: 'timed out' };
  return { failed: outcome.error instanceof Error ? outcome.error.name : 'threw' };
}

/** Timer in place of EventBridge Scheduler. */
export interface Schedule {
  /** Stops the timer and waits for a running sweep. */
  close(): Promise<void>;
}

/** Runs `sweep` every `everySeconds`; never two at once. */
export function startSchedule(everySeconds: number, sweep: () => Promise<void>): Schedule {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= sweep().finally(() => {
      running = undefined;
    });
  }, everySeconds * 1000);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
