import { parseArgs } from 'node:util';
import { DEFAULT_URL, type Endpoint, endpointOf } from '../endpoint.ts';
import { createTokenBrokerClient, type TokenBrokerClient } from '../token-broker-client.ts';
import { type ExitCode, UsageError } from './exit-codes.ts';
import { type Paint, paintFor, type Terminal } from './terminal.ts';

/** Option of a command, with its help. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** Placeholder of the value in the help. */
  readonly value?: string;
  readonly help: string;
}

/** One command. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Names of the operands, in order; those in brackets are optional. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** Further lines of the help. */
  readonly notes?: readonly string[];
  /** Command lines without the program's name, each with an explanation. */
  readonly examples: readonly (readonly [string, string])[];
  run(call: Call): Promise<ExitCode>;
}

/** Abilities that the program has only in a clone of the broker; the client's package is without them. */
export interface OwnBroker {
  /**
   * Starts a broker on this machine to try one connection, declared in a connections file, with the credential of a
   * secrets file. Throws a `UsageError` that names the fault of a file.
   */
  start(
    files: { readonly connections: string; readonly secrets: string; readonly connection: string },
    say: (line: string) => void,
  ): Promise<{ readonly url: string; close(hasToken: boolean): Promise<void> }>;
  /** JSON Schema of a connections file. */
  schema(): string;
}

/** One call of a command. */
export interface Call {
  readonly terminal: Terminal;
  readonly operands: readonly string[];
  readonly isJson: boolean;
  /** Colours for stdout. */
  readonly paint: Paint;
  readonly client: TokenBrokerClient;
  readonly own: OwnBroker | undefined;
  readonly endpoint: Endpoint;
  /** Limit on one call of the broker, in milliseconds. */
  readonly timeoutMs: number;
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  flag(option: string): boolean;
  /** Prints a line of data to stdout. */
  print(line: string): void;
  /** Prints a line of a message to stderr. */
  say(line: string): void;
}

/** Options that every command has. */
export const commonOptions = {
  url: { type: 'string', value: 'URL', help: `the broker's address (TOKEN_BROKER_URL, else ${DEFAULT_URL})` },
  region: {
    type: 'string',
    value: 'REGION',
    help: "AWS region to sign for (the one in the API's name, else AWS_REGION)",
  },
  timeout: { type: 'string', value: 'SECONDS', help: 'for one call of the broker, retries included (30)' },
  json: { type: 'boolean', help: 'JSON on stdout' },
  'no-color': { type: 'boolean', help: 'no colours; NO_COLOR does the same' },
  help: { type: 'boolean', short: 'h', help: 'shows this' },
} as const satisfies Record<string, Option>;

export const subjectOption: Option = {
  type: 'string',
  short: 's',
  value: 'SUBJECT',
  help: '`system`, or one user, as `status CONNECTION` says how they are written (system)',
};

/** Options and operands of a command line. */
interface ReadArguments {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

const SECONDS = /^[0-9]{1,5}(?:\.[0-9]{1,3})?$/;

/** Reads a command line of `command`. Throws a `UsageError` that names the mistake. */
export function readArguments(command: Command, args: readonly string[]) {
  const options = { ...command.options, ...commonOptions };
  const parsed = parse(args, options);
  const isHelp = parsed.values['help'] === true;
  const least = command.operands.filter((name) => !name.startsWith('[')).length;
  const count = parsed.positionals.length;
  if (!isHelp && (count < least || count > command.operands.length)) {
    const missing = command.operands[count];
    const what =
      count < least ? `${missing} is missing.` : `${command.operands.length} operands are enough; one is too many.`;
    throw new UsageError(`${what} Usage: token-broker ${[command.name, ...command.operands].join(' ')}`);
  }
  return { ...parsed, isHelp };
}

function parse(args: readonly string[], options: Readonly<Record<string, Option>>): ReadArguments {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's first sentence names the option and the mistake; the rest is about Node.
    const [what = 'The options cannot be read'] = error instanceof Error ? error.message.split('. ') : [];
    throw new UsageError(`${what}.`);
  }
}

/** Creates the call of a command from its arguments. Throws a `UsageError`, or `usage` for an invalid URL. */
export function callOf({ values, positionals }: ReadArguments, terminal: Terminal, own?: OwnBroker): Call {
  const all = (name: string): readonly unknown[] => [values[name]].flat();
  const texts = (name: string) => all(name).filter((value) => typeof value === 'string');
  const text = (name: string) => texts(name)[0];
  const seconds = text('timeout') ?? '30';
  if (!SECONDS.test(seconds) || Number(seconds) === 0)
    throw new UsageError('--timeout is a number of seconds above 0.');
  const timeoutMs = Number(seconds) * 1000;
  const where = { url: text('url') ?? terminal.environment['TOKEN_BROKER_URL'], region: text('region') };
  const endpoint = endpointOf({ ...where, environment: terminal.environment });
  return {
    terminal,
    operands: positionals,
    isJson: values['json'] === true,
    paint: paintFor(terminal.stdout, terminal.environment, values['no-color'] === true),
    endpoint,
    own,
    client: createTokenBrokerClient({
      url: endpoint.base,
      region: endpoint.region,
      timeoutMs,
    }),
    timeoutMs,
    text,
    texts,
    flag: (name) => all(name).includes(true),
    print: (line) => void terminal.stdout.write(`${line}\n`),
    say: (line) => void terminal.stderr.write(`${line}\n`),
  };
}

/** Returns an operand that `readArguments` has checked for. */
export function operand(call: Pick<Call, 'operands'>, index: number): string {
  return call.operands[index] ?? '';
}
