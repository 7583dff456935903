/** Properties that say how many executions there may be at once. A function whose number is not given keeps none. */
export interface ConcurrencyProps {
  /**
   * Executions at once that are kept for `token`, and its most. Default: none are kept, since a new account may have 10
   * in all.
   */
  readonly tokenConcurrency?: number;
  /** The same for the `mint` of each isolation group: one that hangs then takes no more of the account. */
  readonly mintConcurrency?: number;
  /** The same for the `proxy` of each isolation group. */
  readonly proxyConcurrency?: number;
  /**
   * Most requests that wait for tokens of one connection. Default: a tenth of `tokenConcurrency`, or 100 without it, a
   * tenth of what an account usually has. Give a tenth of yours where it has fewer.
   */
  readonly waitsPerConnection?: number;
}

/** Executions that an account has in a region, if nobody has asked for more and it is not new. */
const USUAL_EXECUTIONS = 1_000;
const PART_OF_A_CONNECTION = 10;

/** Computes the most requests that wait for one connection. */
export function mostWaitsOf({ waitsPerConnection, tokenConcurrency = USUAL_EXECUTIONS }: ConcurrencyProps): number {
  return waitsPerConnection ?? Math.max(1, Math.floor(tokenConcurrency / PART_OF_A_CONNECTION));
}

/** Builds the property of a function that keeps so many executions, or none. */
export function keepExecutions(concurrency: number | undefined): { readonly reservedConcurrency?: number } {
  return concurrency === undefined ? {} : { reservedConcurrency: concurrency };
}
