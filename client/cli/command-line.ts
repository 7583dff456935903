import { parseArgs } from 'node:util';
import { type Command, type CommandLine, commonOptions, type Option } from './command.ts';
import { didYouMean, nearest } from './did-you-mean.ts';
import { UsageError } from './exit-codes.ts';

type Options = Readonly<Record<string, Option>>;
type Parsed = Omit<CommandLine, 'command' | 'rest'>;

/** Reads a command line that has options and no command; undefined if it has anything else. */
export function readProgramOptions(args: readonly string[]): Parsed['values'] | undefined {
  const parsed = tryParse(args, commonOptions);
  return parsed === undefined || parsed.operands.length > 0 ? undefined : parsed.values;
}

/**
 * Reads a command line. Options stand anywhere, before the command too: the command is the one whose options leave its
 * own name in front. Throws a `UsageError` that names the mistake, and what was probably meant.
 */
export function readCommandLine(commands: readonly Command[], args: readonly string[]): CommandLine {
  for (const command of commands) {
    const { own, rest } = splitArguments(command, args);
    const parsed = tryParse(own, optionsOf(command));
    const words = command.name.split(' ');
    if (parsed === undefined || !startsWith(parsed.operands, words)) continue;
    const operands = parsed.operands.slice(words.length);
    if (parsed.values['help'] !== true && parsed.values['version'] !== true) checkOperands(command, operands, rest);
    return { command, values: parsed.values, operands, rest };
  }
  throw findMistake(commands, args);
}

/** Finds the first command whose name is in the arguments, whatever else is wrong with them. */
export function commandNamedIn(commands: readonly Command[], args: readonly string[]): Command | undefined {
  return args.flatMap((_, at) => commands.find(({ name }) => startsWith(args.slice(at), name.split(' '))) ?? [])[0];
}

/** Options of a command, with those that every command has. */
export function optionsOf(command: Command): Options {
  return { ...command.options, ...commonOptions };
}

/** Writes how a command is called, without the program's name. */
export function usageOf({ name, operands, rest }: Command): string {
  const end = rest === undefined ? [] : [rest.startsWith('[') ? `[-- ${rest.slice(1)}` : `-- ${rest}`];
  return [name, ...operands, ...end].join(' ');
}

function splitArguments({ rest }: Command, args: readonly string[]) {
  const at = rest === undefined ? -1 : args.indexOf('--');
  return at < 0 ? { own: args, rest: [] } : { own: args.slice(0, at), rest: args.slice(at + 1) };
}

function startsWith(operands: readonly string[], words: readonly string[]): boolean {
  return words.every((word, index) => operands[index] === word);
}

function needsRest({ rest }: Command): boolean {
  return rest?.startsWith('[') === false;
}

function checkOperands(command: Command, operands: readonly string[], rest: readonly string[]): void {
  const usage = `Usage: token-broker ${usageOf(command)}`;
  const least = command.operands.filter((name) => !name.startsWith('[')).length;
  if (operands.length < least) throw new UsageError(`${command.operands[operands.length]} is missing. ${usage}`);
  if (needsRest(command) && rest.length === 0) {
    throw new UsageError(`The command to run is missing: write it behind \`--\`. ${usage}`);
  }
  // It is not quoted: it may be a credential or a token, which belongs on stdin.
  if (operands.length > command.operands.length) throw new UsageError(`There is an operand too many. ${usage}`);
}

function tryParse(args: readonly string[], options: Options): Parsed | undefined {
  try {
    return parse(args, options);
  } catch {
    return undefined;
  }
}

function parse(args: readonly string[], options: Options): Parsed {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  return { values, operands: positionals };
}

/** Finds why no command fits: a mistake in the options of the named command, or a name that no command has. */
function findMistake(commands: readonly Command[], args: readonly string[]): UsageError {
  const named = commandNamedIn(commands, args);
  const firstWord = args.find((arg) => !arg.startsWith('-'));
  if (named !== undefined || firstWord === undefined) return findOptionMistake(named, args);
  const names = commands.map(({ name }) => name);
  const two = args.slice(args.indexOf(firstWord), args.indexOf(firstWord) + 2).join(' ');
  const meant = didYouMean(two, names) || didYouMean(firstWord, names) || beginningWith(firstWord, names);
  return new UsageError(`There is no command ${JSON.stringify(firstWord)}.${meant} There are: ${names.join(', ')}.`);
}

/** Writes the question for a name of which only the first word was typed. */
function beginningWith(word: string, names: readonly string[]): string {
  const firstWords = names.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0] ?? '');
  const first = nearest(word, firstWords);
  return first === undefined ? '' : ` Did you mean ${names.find((name) => name.startsWith(`${first} `))}?`;
}

function findOptionMistake(command: Command | undefined, args: readonly string[]): UsageError {
  if (command !== undefined && needsRest(command) && !args.includes('--')) {
    return new UsageError(`Write \`--\` before the command to run. Usage: token-broker ${usageOf(command)}`);
  }
  const options = command === undefined ? commonOptions : optionsOf(command);
  try {
    parse(command === undefined ? args : splitArguments(command, args).own, options);
    return new UsageError('The options cannot be read.');
  } catch (error) {
    // Node's first sentence names the option and the mistake; the rest is about Node.
    const [what = 'The options cannot be read'] = error instanceof Error ? error.message.split('. ') : [];
    const [, typed] = /^Unknown option '--([^']+)'/.exec(what) ?? [];
    const meant = typed === undefined ? '' : didYouMean(typed, Object.keys(options)).replace('mean ', 'mean --');
    const elsewhere = command?.rest === undefined ? '' : ' Words for another program go behind `--`.';
    return new UsageError(`${what}.${meant || elsewhere}`);
  }
}
