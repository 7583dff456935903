import type { Context } from 'aws-lambda';
import { BrokerError } from '../core/words/errors.ts';
import type { Clock } from '../core/words/platform.ts';

/** The part of the Lambda's timeout that is kept for answering `deadline_exceeded`: 24 s of 27 are for the work. */
export const ANSWERING_MS = 3_000;
/** The end of those 24 s, kept for writing the response. */
const FINISHING_MS = 1_000;

/** Computes the end of the time for a request's work, in monotonic milliseconds (invariant 14). */
export function computeDeadline(clock: Clock, context: Context): number {
  return clock.monotonic() + context.getRemainingTimeInMillis() - ANSWERING_MS - FINISHING_MS;
}

/** The error of a request whose time is over. */
export function createDeadlineError(): BrokerError {
  return new BrokerError('deadline_exceeded', 'The request took longer than the broker may take. Ask again.');
}

/**
 * Does the work of a request within the invocation's time (invariant 14): past that the answer is `deadline_exceeded`
 * rather than an empty 500. The work itself cannot be stopped.
 */
export function withinTime<T>(context: Context, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(createDeadlineError()), context.getRemainingTimeInMillis() - ANSWERING_MS);
    const settled = () => clearTimeout(timer);
    work().then(resolve, reject).then(settled);
  });
}
