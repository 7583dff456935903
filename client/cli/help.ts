import { type Command, commonOptions, type Option } from './command.ts';
import { usageOf } from './command-line.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';

/** Builds the help of the whole program. */
export function programHelp(commands: readonly Command[]): string {
  return [
    'Tokens from a token broker: one signed call each, and no credential in sight.',
    '',
    'Usage: token-broker COMMAND [options]   (options stand anywhere)',
    '',
    'Commands:',
    ...columns(commands.map((command) => [usageOf(command), command.summary])),
    '',
    'Options of every command:',
    ...optionLines(commonOptions),
    '',
    'Examples:',
    ...exampleLines([
      ['connections', 'what there is, against `npm start` with no setting'],
      ['token helpdesk --subject 88', 'a token of staff member 88'],
      ['call wfm GET /AgentLogonReport', 'a call through the broker, without a token'],
      ['doctor --url https://ID.execute-api.REGION.amazonaws.com/v1', 'what is wrong, and what to do'],
    ]),
    '',
    'Exit codes:',
    ...columns(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning])),
    '',
    '`token-broker COMMAND --help` tells more.',
    '',
  ].join('\n');
}

/** Builds the help of one command. */
export function commandHelp(command: Command): string {
  return [
    command.summary,
    '',
    `Usage: token-broker ${usageOf({ ...command, operands: [...command.operands, '[options]'] })}`,
    '',
    ...(Object.keys(command.options).length === 0 ? [] : ['Options:', ...optionLines(command.options), '']),
    'Options of every command:',
    ...optionLines(commonOptions),
    '',
    ...(command.notes === undefined ? [] : [...command.notes, '']),
    'Examples:',
    ...exampleLines(command.examples),
    '',
  ].join('\n');
}

function optionLines(options: Readonly<Record<string, Option>>): readonly string[] {
  return columns(
    Object.entries(options).map(([name, { short, value, help }]) => [
      `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
      help,
    ]),
  );
}

function exampleLines(examples: readonly (readonly [string, string])[]): readonly string[] {
  return examples.flatMap(([line, what]) => [`  token-broker ${line}`, `      ${what}`]);
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
