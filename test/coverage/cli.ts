import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Provider } from '../../functions/core/slot/provider.ts';
import { cover, differencesOf } from './compare.ts';
import { createKeys } from './given.ts';
import { type Need, parseNeeds } from './need.ts';
import { spoil } from './spoil.ts';

const USAGE = 'npm run coverage:providers -- FILE [--least N] [--spoil]';

/**
 * Says how many of a file's needs providers cover, and why each other is not. Gives 1 where they are fewer than
 * `--least`, all by default, or where with `--spoil` a spoiled provider passes; 2 for wrong arguments.
 */
export async function main(args: readonly string[], print: (line: string) => void, progress = (_: string) => {}) {
  const given = parse(args);
  if (given === undefined) {
    print(USAGE);
    return 2;
  }
  const needs = parseNeeds(readFileSync(given.file, 'utf8'));
  const least = given.least ?? needs.length;
  const keys = createKeys();
  const covered: { readonly need: Need; readonly provider: Provider }[] = [];
  for (const [index, need] of needs.entries()) {
    progress(`${index + 1} of ${needs.length}`);
    const result = await cover(need, keys);
    if ('provider' in result) covered.push({ need, ...result });
    else print(`not covered: ${need.set} ${need.name}: ${result.why}`);
  }
  print(`${covered.length} of ${needs.length}`);
  const isEnough = covered.length >= least;
  if (!given.spoil) return isEnough ? 0 : 1;

  const counts = { spoiled: 0, caught: 0 };
  for (const [index, { need, provider }] of covered.entries()) {
    progress(`spoiled ${index + 1} of ${covered.length}`);
    for (const spoiled of spoil(provider)) {
      counts.spoiled += 1;
      if ((await differencesOf(need, provider, keys, spoiled.provider)).length > 0) counts.caught += 1;
      else print(`passed though spoiled: ${need.set} ${need.name}: ${spoiled.what}`);
    }
  }
  print(`${counts.caught} of ${counts.spoiled} spoiled providers caught`);
  return isEnough && counts.caught === counts.spoiled ? 0 : 1;
}

function parse(args: readonly string[]) {
  try {
    const options = { least: { type: 'string' }, spoil: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file, ...more] = positionals;
    const least = values.least === undefined ? undefined : Number(values.least);
    if (file === undefined || more.length > 0 || Number.isNaN(least)) return undefined;
    return { file, least, spoil: values.spoil };
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const progress = (text: string) => void (process.stderr.isTTY && process.stderr.write(`\r${text}\u001b[K`));
  process.exitCode = await main(process.argv.slice(2), (line) => console.log(line), progress);
}
