import type { Context } from 'aws-lambda';
import { createLambdaContext } from '../../local/lambda/lambda-context.ts';
import { HAND_OUT_EVENT } from '../broker.ts';
import { quantile, type Sample } from '../rounds.ts';
import type { Handler } from './handlers.ts';

/** Longer than any measurement. */
export const LONG_MS = 3_600_000;

/** The context of every invocation; its time does not run out. */
export function longContext(): Context {
  return createLambdaContext({ functionName: 'token', requestId: 'bench', timeoutMs: LONG_MS, now: Date.now });
}

/** Invokes a handler so many times, one after the other: microseconds of CPU and of wall a call, and p50 and p99. */
export async function timeHandler(handler: Handler, calls: number, context: Context): Promise<Sample> {
  // Every handler of the comparison reads of the event what it wants.
  return timeWork(async () => handler(HAND_OUT_EVENT as never, context), calls);
}

/** Does a piece of work so many times, one after the other; see `timeHandler`. */
export async function timeWork(work: () => unknown, calls: number): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  for (let call = 0; call < calls; call += 1) await work();
  const wall = ((performance.now() - before) * 1_000) / calls;
  const { user, system } = process.cpuUsage(cpuBefore);
  const each: number[] = [];
  for (let call = 0; call < Math.max(calls / 10, 20); call += 1) {
    const began = performance.now();
    await work();
    each.push((performance.now() - began) * 1_000);
  }
  each.sort((a, b) => a - b);
  return { cpu: (user + system) / calls, wall, p50: quantile(each, 0.5), p99: quantile(each, 0.99) };
}
