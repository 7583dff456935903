import { describe, expect, it } from 'vitest';
import { optionsOf, usageOf } from '../../client/cli/command-line.ts';
import { EXIT_MEANINGS } from '../../client/cli/exit-codes.ts';
import { commands } from '../../client/cli/run.ts';
import { mistakeIn, namedIn, typedIn } from './command-lines.ts';
import { readFiles, readPage } from './repository.ts';

describe('the command lines of', () => {
  it('the pages are ones that the program takes', () => {
    const lines = readFiles(/\.md$/).flatMap(({ path, text }) => [
      ...typedIn(text).map((line) => ({ path, line, isWhole: true })),
      ...namedIn(text).map((line) => ({ path, line, isWhole: false })),
    ]);
    expect(lines.length).toBeGreaterThan(25);
    const mistakes = lines.map(({ path, line, isWhole }) => [path, mistakeIn(line, isWhole)]);
    expect(mistakes.filter(([, mistake]) => mistake !== undefined)).toEqual([]);
  });

  it('the help are ones that the program takes', () => {
    const examples = commands.flatMap((command) => command.examples.map(([line]) => line));
    expect(examples.flatMap((line) => mistakeIn(line, true) ?? [])).toEqual([]);
    for (const { name, examples: own } of commands) expect([name, own.length > 0]).toEqual([name, true]);
  });

  it('messages and remedies are ones that the program takes', () => {
    const sources = readFiles(/^(?:client|functions|cdk|local)\/.*\.ts$/);
    const mistakes = sources.flatMap(({ path, text }) =>
      namedIn(text.replaceAll('\\`', '`')).flatMap((line) => {
        const mistake = /[${]/.test(line) ? undefined : mistakeIn(line, false);
        return mistake === undefined ? [] : `${path}: ${mistake}`;
      }),
    );
    expect(mistakes).toEqual([]);
  });

  it('a page that are wrong are found by this test', () => {
    const page = [
      '```sh',
      '$ token-broker satus',
      'x | token-broker token wfm --hedaer',
      '```',
      '`token-broker purge`',
    ];
    const text = page.join('\n');
    expect(typedIn(text).map((line) => mistakeIn(line, true))).toEqual([
      expect.stringContaining('Did you mean status?'),
      expect.stringContaining('Did you mean --header?'),
    ]);
    expect(namedIn(text)).toEqual(['purge']);
    expect(mistakeIn('purge', true)).toContain('CONNECTION is missing');
    expect(mistakeIn('purge', false)).toBeUndefined();
  });
});

it('an address of a deployed broker ends in its stage, in pages, help and examples', () => {
  const texts = readFiles(/^(?:README\.md|(?:docs|client|cdk)\/.*\.(?:md|ts|yaml|service))$/);
  const addresses = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/https:\/\/ID\.execute-api\.[\w-]+\.amazonaws\.com(\S{0,3})/g)].map(([, end]) => [path, end]),
  );
  expect(addresses.length).toBeGreaterThan(8);
  expect(addresses.filter(([, end]) => end !== '/v1')).toEqual([]);
});

describe('docs/cli.md', () => {
  const page = readPage('docs/cli.md');
  const rows = new Map(
    [...page.matchAll(/^\| `([^`]+)` *\|(.*)\|$/gm)].map(([, call = '', text = '']) => [call, text] as const),
  );

  it('has a row for each command, with its operands and its own options', () => {
    for (const command of commands) {
      const [call = '', text] = [...rows].find(([each]) => each.replace(/ [[A-Z-].*$/, '') === command.name) ?? [];
      expect([command.name, text]).toEqual([command.name, expect.any(String)]);
      expect(call).toBe(usageOf(command).replace('...', ''));
      const said = `${text} ${page}`;
      for (const option of Object.keys(command.options)) {
        const [short] = [command.options[option]?.short];
        const isSaid = said.includes(`--${option}`) || (short !== undefined && said.includes(`\`-${short}`));
        expect([command.name, option, isSaid]).toEqual([command.name, option, true]);
      }
    }
    expect(rows.size).toBe(commands.length);
  });

  it('names the options of every command', () => {
    const [, sentence = ''] = /^(?:.*) All take (.*) which shows examples\./m.exec(page) ?? [];
    for (const command of commands.slice(0, 1)) {
      const common = Object.keys(optionsOf(command)).filter((name) => !Object.hasOwn(command.options, name));
      for (const name of common) expect(sentence).toContain(`\`--${name}`);
    }
  });

  it('has the exit codes of the help', () => {
    const [, table = ''] = page.split('## Exit codes');
    const codes = [...table.matchAll(/^\| (\d+) +\| (.*?) *\|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
    expect(codes).toEqual(EXIT_MEANINGS.map(([code, meaning]) => [code, meaning]));
  });
});
