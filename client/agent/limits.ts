/** Limits of the agent, so that one caller cannot take all of it. */
export const LIMITS = {
  /** Tokens kept; the least recently used go first. */
  slots: 1_000,
  connections: 256,
  /** Requests at work at once; what comes beyond is answered 503. */
  requests: 128,
  /** Proxied calls among them, whose bodies are held in memory. */
  proxiedCalls: 16,
  headBytes: 16_384,
  tokenBodyBytes: 8_192,
  proxiedBodyBytes: 4_500_000,
  /** Time for the head of a request, and for all of it. */
  headMs: 5_000,
  requestMs: 30_000,
  /** Time for which a connection may be idle between requests. */
  idleMs: 60_000,
  /** Time for requests at work to end after a signal. */
  stopMs: 10_000,
} as const;
