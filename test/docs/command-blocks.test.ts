import { expect, it } from 'vitest';
import { commandBlocksOf } from './command-blocks.ts';
import { pathsOfRepository, readFiles, readPage } from './repository.ts';

/** Tests that run the commands of a page; each fails where a block of its page is neither run nor marked. */
const runBy: Readonly<Record<string, string>> = {
  'README.md': 'test/system/typed-pages.test.ts',
  'docs/calling/README.md': 'test/system/typed-pages.test.ts',
  'docs/cli.md': 'test/system/documented-commands.test.ts',
  'docs/agent.md': 'test/system/documented-commands.test.ts',
  'docs/deploying.md': 'test/deploy/run.ts',
  'docs/first-hour.md': 'test/deploy/first-hour/run.ts',
  'docs/providers.md': 'test/docs/providers.test.ts',
  'docs/packages.md': 'test/packages',
  'packages/broker/README.md': 'test/packages',
};

it('every page with commands has a test that runs them, or says before each that none does', () => {
  const pages = readFiles(/^(?:README\.md|(?:docs|packages)\/.*\.md)$/);
  const unmarked = pages.flatMap(({ path, text }) =>
    Object.hasOwn(runBy, path)
      ? []
      : commandBlocksOf(text).flatMap((block) => (block.isMarked ? [] : [`${path}: ${block.commands[0]}`])),
  );
  expect(unmarked).toEqual([]);
  const paths = new Set(pathsOfRepository());
  expect(
    Object.entries(runBy)
      .flat()
      .filter((path) => !paths.has(path)),
  ).toEqual([]);
});

it('the commands of deploying that are not run say so where a reader sees it', () => {
  const blocks = commandBlocksOf(readPage('docs/deploying.md'));
  expect(blocks.filter(({ isMarked }) => isMarked).map(({ commands }) => commands[0])).toEqual([
    'git clone "$REPOSITORY" token-broker && cd token-broker',
    'eval "$(aws configure export-credentials --format env)"',
    'npx cdk diff',
    'git pull',
  ]);
});

it('a block is found with its commands, what it shows and its mark', () => {
  const page =
    'One:\n\n```console\n$ a -b\nshown\n```\n\n*Not run by a test:*\n\n<!-- x: y -->\n```sh\nc\nd\n```\n\n```ts\ne\n```\n';
  expect(commandBlocksOf(page)).toEqual([
    { commands: ['a -b'], shown: 'shown', isMarked: false },
    { commands: ['c', 'd'], shown: '', isMarked: true },
  ]);
});
