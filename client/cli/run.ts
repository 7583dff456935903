import { TokenBrokerError } from '../error.ts';
import { type Command, callOf, type OwnBroker, readArguments } from './command.ts';
import { callCommand } from './commands/call.ts';
import { connectionsCommand } from './commands/connections.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { doctorCommand } from './commands/doctor.ts';
import { purgeCommand } from './commands/purge.ts';
import { rejectCommand } from './commands/reject.ts';
import { schemaCommand } from './commands/schema.ts';
import { secretSetCommand } from './commands/secret-set.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { trustCheckCommand } from './commands/trust-check.ts';
import { tryCommand } from './commands/try.ts';
import { EXIT, type ExitCode, exitCodeOf, Interrupted, UsageError } from './exit-codes.ts';
import { commandHelp, programHelp } from './help.ts';
import { remedyForError } from './remedies.ts';
import type { Terminal } from './terminal.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  tokenCommand,
  connectionsCommand,
  statusCommand,
  dashboardCommand,
  callCommand,
  tryCommand,
  rejectCommand,
  purgeCommand,
  secretSetCommand,
  trustCheckCommand,
  doctorCommand,
  schemaCommand,
];

/** Runs a command line and returns its exit code. Never rejects; errors go to stderr. */
export async function run(args: readonly string[], terminal: Terminal, own?: OwnBroker): Promise<ExitCode> {
  const say = (text: string): void => void terminal.stderr.write(`${text}\n`);
  let isJson = args.includes('--json');
  try {
    const [first] = args;
    if (first === undefined) {
      say(programHelp(commands));
      return EXIT.usage;
    }
    if (first === '--help' || first === '-h' || (first === 'help' && args.length === 1)) {
      terminal.stdout.write(programHelp(commands));
      return EXIT.ok;
    }
    const { command, rest } = commandOf(first === 'help' ? [...args.slice(1), '--help'] : args);
    const read = readArguments(command, rest);
    if (read.isHelp) {
      terminal.stdout.write(commandHelp(command));
      return EXIT.ok;
    }
    const call = callOf(read, terminal, own);
    isJson = call.isJson;
    return await command.run(call);
  } catch (error) {
    if (isJson && !(error instanceof Interrupted)) say(JSON.stringify({ error: membersOf(error) }));
    else for (const line of messageOf(error)) say(line);
    return exitCodeOf(error);
  }
}

function commandOf(args: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } {
  for (const command of commands) {
    const words = command.name.split(' ');
    if (words.every((word, index) => args[index] === word)) return { command, rest: args.slice(words.length) };
  }
  const names = commands.map(({ name }) => name).join(', ');
  throw new UsageError(`There is no command ${JSON.stringify(args[0] ?? '')}. There are: ${names}.`);
}

function messageOf(error: unknown): readonly string[] {
  if (error instanceof UsageError) return [`token-broker: ${error.message}`, '`token-broker --help` lists everything.'];
  if (error instanceof Interrupted) return [];
  if (!(error instanceof TokenBrokerError)) return [`token-broker: ${unforeseen(error)}`];
  const { code, detail, requestId, causeCode, retryAfterMs } = error;
  const facts = [
    code,
    ...(causeCode === undefined ? [] : [`cause ${causeCode}`]),
    ...(retryAfterMs === undefined ? [] : [`again in ${Math.ceil(retryAfterMs / 1000)} s`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  const remedy = remedyForError(error);
  return [`token-broker: ${detail} (${facts.join(', ')})`, ...(remedy === undefined ? [] : [remedy])];
}

/** Builds the JSON of an error. */
function membersOf(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof UsageError) return { kind: 'usage', code: 'usage', detail: error.message };
  if (!(error instanceof TokenBrokerError)) {
    return { kind: 'unforeseen', code: 'unforeseen', detail: unforeseen(error) };
  }
  const { kind, code, status, detail, causeCode, retryAfterMs, requestId } = error;
  return { kind, code, status, detail, cause: causeCode, retry_after_ms: retryAfterMs, request_id: requestId };
}

/** Describes an unexpected error by its kind alone, since its message may quote anything. */
function unforeseen(error: unknown): string {
  return `something unforeseen happened (${error instanceof Error ? error.name : typeof error}).`;
}
