import { TokenBrokerError } from '../error.ts';
import { printable } from '../printable.ts';
import { type Call, type Command, callOf, type OwnBroker } from './command.ts';
import { commandNamedIn, readCommandLine, readProgramOptions } from './command-line.ts';
import { agentCommand } from './commands/agent.ts';
import { auditCommand } from './commands/audit.ts';
import { callCommand } from './commands/call.ts';
import { completionCommand } from './commands/completion.ts';
import { connectionsCommand } from './commands/connections.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { deployCommand } from './commands/deploy.ts';
import { devCommand } from './commands/dev.ts';
import { doctorCommand } from './commands/doctor.ts';
import { execCommand } from './commands/exec.ts';
import { initCommand } from './commands/init.ts';
import { purgeCommand } from './commands/purge.ts';
import { rejectCommand } from './commands/reject.ts';
import { schemaCommand } from './commands/schema.ts';
import { secretSetCommand } from './commands/secret-set.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { trustCheckCommand } from './commands/trust-check.ts';
import { tryCommand } from './commands/try.ts';
import { COMPLETE, completionsOf } from './completions.ts';
import { didYouMean } from './did-you-mean.ts';
import { EXIT, exitCodeOf, Interrupted, UsageError } from './exit-codes.ts';
import { commandHelp, programHelp } from './help.ts';
import { remedyForError } from './remedies.ts';
import type { Terminal } from './terminal.ts';
import { readVersion } from './version.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  tokenCommand,
  execCommand,
  connectionsCommand,
  statusCommand,
  dashboardCommand,
  callCommand,
  agentCommand,
  tryCommand,
  initCommand,
  devCommand,
  deployCommand,
  rejectCommand,
  purgeCommand,
  auditCommand,
  secretSetCommand,
  trustCheckCommand,
  doctorCommand,
  schemaCommand,
  completionCommand,
];

/** Runs a command line and returns its exit code. Never rejects; errors go to stderr. */
export async function run(args: readonly string[], terminal: Terminal, own: OwnBroker): Promise<number> {
  const say = (text: string): void => void terminal.stderr.write(`${printable(text)}\n`);
  let isJson = args.includes('--json');
  let call: Call | undefined;
  try {
    if (args[0] === COMPLETE) {
      for (const line of await completionsOf(commands, args.slice(1), terminal)) terminal.stdout.write(`${line}\n`);
      return EXIT.ok;
    }
    const asked = readProgramOptions(args[0] === 'help' && args.length === 1 ? ['--help'] : args);
    if (asked !== undefined) return runWithoutCommand(asked, terminal);
    const line = readCommandLine(commands, args[0] === 'help' ? [...args.slice(1), '--help'] : args);
    const { help, version } = line.values;
    if (help === true || version === true) {
      terminal.stdout.write(help === true ? commandHelp(line.command) : `${readVersion()}\n`);
      return EXIT.ok;
    }
    call = callOf(line, terminal, own);
    isJson = call.isJson;
    return await line.command.run(call);
  } catch (error) {
    if (isJson && !(error instanceof Interrupted)) say(JSON.stringify({ error: membersOf(error) }));
    else for (const line of await messageOf(error, call, args)) say(line);
    return exitCodeOf(error);
  }
}

function runWithoutCommand(asked: Readonly<Record<string, unknown>>, { stdout, stderr }: Terminal): number {
  if (asked['version'] === true) stdout.write(`${readVersion()}\n`);
  else if (asked['help'] === true) stdout.write(programHelp(commands));
  else stderr.write(`${programHelp(commands)}\n`);
  return asked['version'] === true || asked['help'] === true ? EXIT.ok : EXIT.usage;
}

function whereHelpIs(args: readonly string[]): string {
  const named = commandNamedIn(commands, args);
  if (named === undefined) return '`token-broker --help` lists everything.';
  return `\`token-broker ${named.name} --help\` has its options and examples.`;
}

async function messageOf(error: unknown, call: Call | undefined, args: readonly string[]): Promise<readonly string[]> {
  if (error instanceof UsageError) return [`token-broker: ${error.message}`, whereHelpIs(args)];
  if (error instanceof Interrupted) return [];
  if (!(error instanceof TokenBrokerError)) return [`token-broker: ${unforeseen(error)}`];
  const { code, detail, requestId, causeCode, retryAfterMs } = error;
  const facts = [
    code,
    ...(causeCode === undefined ? [] : [`cause ${causeCode}`]),
    ...(retryAfterMs === undefined ? [] : [`again in ${Math.ceil(retryAfterMs / 1000)} s`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  const remedy = (code === 'unknown_connection' && (await meantConnection(call))) || remedyForError(error);
  return [`token-broker: ${detail} (${facts.join(', ')})`, ...(remedy === undefined ? [] : [remedy])];
}

/** Asks for the connection that was probably meant; undefined if none is near, or the broker does not say. */
async function meantConnection(call: Call | undefined): Promise<string | undefined> {
  const [typed = ''] = call?.operands[0]?.split('/') ?? [];
  const connections = await call?.client.connections().catch(() => undefined);
  return didYouMean(typed, connections?.map(({ name }) => name) ?? []).trim() || undefined;
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
