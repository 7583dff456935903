import type { OwnBroker } from '../../client/cli/command.ts';
import { run } from '../../client/cli/run.ts';
import type { Terminal } from '../../client/cli/terminal.ts';
import { ownBroker } from '../../local/own-broker.ts';

/** The result of a command line. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a command line in a test. */
export interface Surroundings {
  readonly url?: string;
  readonly stdin?: string;
  /** Input typed at prompts, in chunks. With it, stdin is a terminal. */
  readonly typed?: readonly string[];
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly interruption?: AbortSignal;
  /** In place of the broker that comes with the program. */
  readonly own?: OwnBroker;
  /** Called with all of stdout so far, after each write. */
  readonly onOutput?: (stdout: string) => void;
}

/** Runs a command line in this process, as `token-broker` does. */
export async function tokenBroker(args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const { url, stdin = '', typed, isTTY = false, environment = {}, interruption, onOutput } = surroundings;
  const printed = { stdout: [] as Buffer[], stderr: '' };
  const stdoutText = () => Buffer.concat(printed.stdout).toString('utf8');
  const terminal: Terminal = {
    stdout: {
      isTTY,
      columns: surroundings.columns,
      write(text) {
        printed.stdout.push(Buffer.from(text));
        onOutput?.(stdoutText());
      },
    },
    stderr: {
      isTTY,
      write(text) {
        printed.stderr += text.toString();
      },
    },
    stdin: {
      isTTY: typed !== undefined,
      async *[Symbol.asyncIterator]() {
        yield* typed ?? [stdin];
      },
    },
    environment: { ...(url === undefined ? {} : { TOKEN_BROKER_URL: url }), ...environment },
    interruption: () => interruption ?? new AbortController().signal,
  };
  const code = await run(args, terminal, surroundings.own ?? ownBroker);
  return { code, stdout: stdoutText(), stderr: printed.stderr };
}
