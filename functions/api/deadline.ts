import type { Context } from 'aws-lambda';
import { BrokerError } from '../core/words/errors.ts';
import type { Clock } from '../core/words/platform.ts';

/** The part of the Lambda's timeout that is kept for answering `deadline_exceeded`: 24 s of 28 are for the work. */
const ANSWERING_MS = 4_000;
/** What the work itself keeps free of those 24 s. */
const FINISHING_MS = 1_000;

/**
 * Does the work of a request within the invocation's time (invariant 14): `work` is told its deadline, in monotonic
 * milliseconds, and past that the answer is `deadline_exceeded` rather than an empty 500. The work itself cannot be
 * stopped.
 */
export function withinTime<T>(clock: Clock, context: Context, work: (deadline: number) => Promise<T>): Promise<T> {
  const leftMs = context.getRemainingTimeInMillis() - ANSWERING_MS;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BrokerError('deadline_exceeded', 'The request took longer than the broker may take. Ask again.'));
    }, leftMs);
    const settled = () => clearTimeout(timer);
    work(clock.monotonic() + leftMs - FINISHING_MS)
      .then(resolve, reject)
      .then(settled);
  });
}
