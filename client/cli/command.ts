import { DEFAULT_URL, type Endpoint, endpointOf } from '../endpoint.ts';
import { printable } from '../printable.ts';
import { createTokenBrokerClient, type TokenBrokerClient } from '../token-broker-client.ts';
import { UsageError } from './exit-codes.ts';
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
  /** Name of what follows `--`, if anything does; it is taken as it is. In brackets if it may be left out. */
  readonly rest?: string;
  /** Values that its operand may have, for completion. */
  readonly choices?: readonly string[];
  /** Further lines of the help. */
  readonly notes?: readonly string[];
  /** Command lines without the program's name, each with an explanation. */
  readonly examples: readonly (readonly [string, string])[];
  /** Runs the command and gives the exit code: one of `EXIT`, or that of a program it ran. */
  run(call: Call): Promise<number>;
}

/** Functions of the whole broker. The command line imports nothing of it, and is given these. */
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
  /** Writes a small CDK app into a folder; gives the names of the files. Throws a `UsageError` where one is there. */
  writeApp(folder: string): Promise<readonly string[]>;
  /** Installs what the app in a folder needs; gives whether that succeeded. */
  installApp(folder: string): Promise<boolean>;
  /** Deploys the CDK app of a folder, and asks on the terminal before what cannot be undone; gives the exit code. */
  deploy(options: DeployOptions): Promise<number>;
  /** Runs the broker on this machine until it is interrupted; gives the exit code. */
  runDev(options: DevOptions): Promise<number>;
}

/** Options of a deployment. */
export interface DeployOptions {
  /** The folder of the CDK app. */
  readonly folder: string;
  /** AWS profile and region, for synth, comparison and deployment alike. */
  readonly profile: string | undefined;
  readonly region: string | undefined;
  /** The setting `stage` of the app: a broker of its own. */
  readonly stage: string | undefined;
  /** True if who deploys is to be let in to the API. */
  readonly allowsMe: boolean;
  /** True if nothing is to be asked. */
  readonly isAgreed: boolean;
  /** Settings of the app, each as `KEY=VALUE`. */
  readonly context: readonly string[];
  /** Further words for `cdk deploy`. */
  readonly passedOn: readonly string[];
}

/** Options of a broker on this machine. */
export interface DevOptions {
  readonly connections: string;
  /** Taken only where it is there. */
  readonly secrets: string;
  /** Further flags of `npm start`. */
  readonly flags: readonly string[];
  readonly say: (line: string) => void;
  readonly interruption: AbortSignal;
}

/** One call of a command. */
export interface Call {
  readonly terminal: Terminal;
  readonly operands: readonly string[];
  /** Arguments after `--`: the command to run, for a command that takes one. */
  readonly rest: readonly string[];
  readonly isJson: boolean;
  /** Colours for stdout. */
  readonly paint: Paint;
  readonly client: TokenBrokerClient;
  readonly own: OwnBroker;
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

/** A command line, read. */
export interface CommandLine {
  readonly command: Command;
  readonly values: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  readonly rest: readonly string[];
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
  version: { type: 'boolean', help: 'prints the version' },
} as const satisfies Record<string, Option>;

/** The option that names a subject. */
export const subjectOption: Option = {
  type: 'string',
  short: 's',
  value: 'SUBJECT',
  help: '`system`, or one user, as `status CONNECTION` says how they are written (system)',
};

const SECONDS = /^[0-9]{1,5}(?:\.[0-9]{1,3})?$/;

/** Creates the call of a command from its arguments. Throws a `UsageError`, or `usage` for an invalid URL. */
export function callOf(
  { values, operands, rest }: Pick<CommandLine, 'values' | 'operands' | 'rest'>,
  terminal: Terminal,
  own: OwnBroker,
): Call {
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
    operands,
    rest,
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
    print: (line) => void terminal.stdout.write(`${printable(line)}\n`),
    say: (line) => void terminal.stderr.write(`${printable(line)}\n`),
  };
}

/** Returns an operand that `readCommandLine` has checked for. */
export function operand(call: Pick<Call, 'operands'>, index: number): string {
  return call.operands[index] ?? '';
}
