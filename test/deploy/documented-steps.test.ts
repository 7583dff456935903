import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { notProven } from './cannot-prove.ts';
import { linesNotIn, sectionOf, stepsIn } from './documented-steps.ts';
import { checks } from './first-hour/checks.ts';
import { NOT_RUN, RUN } from './step-names.ts';

const step = (name: string, commands: string) => `<!-- deploy test: ${name} -->\n\`\`\`sh\n${commands}\n\`\`\`\n`;

describe('the steps of a document', () => {
  it('are its marked blocks of commands, in order', () => {
    expect(stepsIn(`Text\n\n${step('one', 'a\nb')}\nmore\n${step('two', 'c')}`)).toEqual([
      { name: 'one', commands: 'a\nb\n' },
      { name: 'two', commands: 'c\n' },
    ]);
  });

  it('must each be marked, and each mark must have its block', () => {
    expect(() => stepsIn('```sh\nrm -rf x\n```\n')).toThrow('no mark');
    expect(() => stepsIn('<!-- deploy test: one -->\ntext')).toThrow('no block');
  });

  it('hold every command of a section elsewhere, or the odd ones are named', () => {
    const steps = stepsIn(step('one', 'npm ci\nnpm run deploy'));
    const readme = '# A\n## Deploy\n```sh\nnpm run deploy\ncdk deploy\n```\n## B\n```sh\nother\n```\n';
    expect(linesNotIn(sectionOf(readme, /Deploy/) ?? '', steps)).toEqual(['cdk deploy']);
    expect(sectionOf(readme, /Nowhere/)).toBeUndefined();
  });
});

describe('docs/deploying.md', () => {
  it('has each step that the deploy test runs, once, and no other', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/deploying.md'), 'utf8');
    expect(
      stepsIn(document)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...RUN, ...NOT_RUN].sort());
  });

  it('says above each step that is not run that it is not, and of no other', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/deploying.md'), 'utf8');
    const noted = [...document.matchAll(/^\*Not run by the test:\*\n\n<!-- deploy test: (\S+) -->$/gm)];
    expect(noted.map(([, name]) => name).sort()).toEqual([...NOT_RUN].sort());
    expect(document.split('*Not run by the test:*')).toHaveLength(NOT_RUN.length + 1);
  });
});

describe('docs/first-hour.md', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/first-hour.md'), 'utf8');

  it('has each check that its script runs, in order, and what leads to them', () => {
    const names = stepsIn(document, 'first hour').map(({ name }) => name);
    expect(names).toEqual(['all', 'prepare', ...checks.map(({ name }) => name)]);
  });

  it('says to what of the deploy test it adds', () => {
    const named = notProven.flatMap(({ shown }) => /^first hour: (.+)$/.exec(shown)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
  });
});
