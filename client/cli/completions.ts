import { createTokenBrokerClient } from '../token-broker-client.ts';
import { type Command, commonOptions, type Option } from './command.ts';
import { optionsOf } from './command-line.ts';
import type { Terminal } from './terminal.ts';

/** First argument of the program when a shell asks what can be typed next. */
export const COMPLETE = '__complete';

/** Time for the broker to name its connections: somebody waits at the keyboard. */
const PATIENCE_MS = 2_000;
const TAKES_CONNECTION = new Set(['CONNECTION', '[CONNECTION]', 'CONNECTION[/SUBJECT]', '[CONNECTION[/SUBJECT]]']);

/**
 * Lists what can be typed in place of the last of `words`, the words after the program's name: commands, options,
 * shells and connections, each with a tab and its explanation. Empty where the shell completes better, as with file
 * names.
 */
export async function completionsOf(
  commands: readonly Command[],
  words: readonly string[],
  terminal: Pick<Terminal, 'environment'>,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  if (before.includes('--')) return [];
  const command = commandIn(commands, before);
  const options = command === undefined ? commonOptions : optionsOf(command);
  const fitting = (lines: readonly string[]) => lines.filter((line) => line.startsWith(typed));

  const option = before.at(-1)?.startsWith('-') === true ? optionNamed(options, before.at(-1) ?? '') : undefined;
  if (option?.type === 'string') {
    return option.value !== undefined && TAKES_CONNECTION.has(option.value) ? fitting(await connections(terminal)) : [];
  }
  if (typed.startsWith('-')) return fitting(Object.entries(options).map(([name, { help }]) => `--${name}\t${help}`));
  const operands = operandsIn(before, options);
  if (command === undefined) {
    // A name of two words is completed one word at a time.
    const [first, ...more] = operands;
    if (more.length > 0) return [];
    const names = commands.filter(({ name }) => first === undefined || name.startsWith(`${first} `));
    return fitting(names.map(({ name, summary }) => `${name.split(' ')[first === undefined ? 0 : 1]}\t${summary}`));
  }
  const wanted = command.operands[operands.length - command.name.split(' ').length] ?? '';
  if (TAKES_CONNECTION.has(wanted)) return fitting(await connections(terminal));
  return fitting(command.choices ?? []);
}

function optionNamed(options: Readonly<Record<string, Option>>, typed: string): Option | undefined {
  return Object.entries(options).find(([name, { short }]) => typed === `--${name}` || typed === `-${short}`)?.[1];
}

function operandsIn(words: readonly string[], options: Readonly<Record<string, Option>>): readonly string[] {
  return words.filter((word, index) => {
    const previous = words[index - 1] ?? '';
    return !word.startsWith('-') && optionNamed(options, previous)?.type !== 'string';
  });
}

function commandIn(commands: readonly Command[], words: readonly string[]): Command | undefined {
  return commands.find((command) => {
    const operands = operandsIn(words, optionsOf(command));
    return command.name.split(' ').every((word, index) => operands[index] === word);
  });
}

/** Names the broker's connections; none where it does not answer in time, or lists none to this caller. */
async function connections({ environment }: Pick<Terminal, 'environment'>): Promise<readonly string[]> {
  try {
    const url = environment['TOKEN_BROKER_URL'];
    const client = createTokenBrokerClient({ url, timeoutMs: PATIENCE_MS, attempts: 1 });
    return (await client.connections()).map(({ name, provider }) => `${name}\t${provider}`);
  } catch {
    return [];
  }
}
