import type { Connection } from './connection.ts';

const SECOND_MS = 1000;

/** Returns the time that `mint` may work under a lease, from when the lease was taken, by its own clock. */
export function mintWindowMs(connection: Connection): number {
  return (connection.timeoutSeconds + 6) * SECOND_MS;
}

/** Returns the length of a lease: the window of `mint` and, on top, the skew of the clocks. */
export function leaseLengthMs(connection: Connection): number {
  return (connection.timeoutSeconds + 11) * SECOND_MS;
}

/** Returns the longest time that a caller waits for another's attempt, or for the answer of its own. */
export function waitLimitMs(connection: Connection): number {
  return (connection.timeoutSeconds + 7) * SECOND_MS;
}

/** Returns the time that a caller must have left to take the lease itself. */
export function timeNeededToMintMs(connection: Connection): number {
  return mintWindowMs(connection);
}
