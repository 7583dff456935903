import { TokenBrokerError } from '../error.ts';

/** Exit codes of the command. The numbers are documented and stay. */
export const EXIT = {
  ok: 0,
  unforeseen: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  unavailable: 5,
  credentials: 6,
  upstreamAnswer: 7,
  unhealthy: 8,
  interrupted: 130,
} as const satisfies Record<string, number>;

/** One of the exit codes above. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Meanings of the exit codes, for help and documentation. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done; of `exec`, every code is that of the command it ran'],
  [EXIT.unforeseen, 'something unforeseen: a fault of this program'],
  [EXIT.usage, 'the command line has a mistake'],
  [EXIT.refused, 'the broker or AWS refused: no grant, no such connection, too early (4xx)'],
  [EXIT.unreachable, 'no answer, or none of a broker'],
  [EXIT.unavailable, 'the broker has no token to give: upstream, secret or store (5xx)'],
  [EXIT.credentials, 'no AWS credentials to sign with'],
  [EXIT.upstreamAnswer, '`call`: the upstream answered 400 or above; its answer is on stdout'],
  [EXIT.unhealthy, '`doctor`: something is to be mended; `trust check`: no rule lets the JWT in'],
  [EXIT.interrupted, 'interrupted'],
];

/** Mistake in the command line; the message has its remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ctrl-C at a prompt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Returns the exit code for an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (!(error instanceof TokenBrokerError)) return EXIT.unforeseen;
  const { kind, status = 0 } = error;
  switch (kind) {
    case 'usage':
      return EXIT.usage;
    case 'credentials':
      return EXIT.credentials;
    case 'network':
    case 'timeout':
    case 'invalid_answer':
      return EXIT.unreachable;
    case 'problem':
    case 'gateway':
      return status >= 500 ? EXIT.unavailable : EXIT.refused;
  }
}
