import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAgent } from './agent/agent.ts';
import { benchCold } from './cold/cold.ts';
import { benchFirstToken } from './first-token/first-token.ts';
import { benchGateway } from './gateway/gateway.ts';
import { benchHerd } from './herd/herd.ts';
import { describeRun } from './machine.ts';
import { benchMemory } from './memory/memory.ts';
import { benchMoney } from './money/money.ts';
import { svgOf } from './plot.ts';
import { benchRefresh } from './refresh/refresh.ts';
import { isVoid, markdownOf } from './report.ts';
import type { BenchOptions, Section } from './section.ts';
import { benchWarm } from './warm/warm.ts';

const PARTS: Readonly<Record<string, (options: BenchOptions) => Promise<Section>>> = {
  cold: benchCold,
  warm: benchWarm,
  gateway: benchGateway,
  agent: benchAgent,
  first: benchFirstToken,
  herd: benchHerd,
  refresh: benchRefresh,
  memory: benchMemory,
  money: benchMoney,
};
const FULL_ROUNDS = 21;
const LONGEST_MS = { quick: 3 * 60_000, full: 30 * 60_000 };
const HELP = `npm run bench -- [--quick] [--only ${Object.keys(PARTS).join(',')}] [--results DIR]
Everything stays on loopback. All parts together write results.md and its pictures to bench/results/; with --quick or --only, nothing
is written but to --results.
Exit 1 where a part is void: its machine was too busy to be measured on.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      results: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { quick } = values;
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  const folder = await mkdtemp(join(tmpdir(), 'token-broker-bench-'));
  const guard = setTimeout(
    () => {
      process.stderr.write('The benchmark takes too long and is given up.\n');
      process.exit(1);
    },
    quick ? LONGEST_MS.quick : LONGEST_MS.full,
  );
  try {
    const run = describeRun(quick, FULL_ROUNDS);
    const sections: Section[] = [];
    for (const name of names) {
      const part = PARTS[name];
      if (part === undefined) throw new Error(`There is no part ${name}. Parts: ${Object.keys(PARTS).join(', ')}.`);
      process.stderr.write(`${name} …\n`);
      sections.push(await part({ quick, folder }));
    }
    const markdown = markdownOf(run, sections);
    process.stdout.write(markdown);
    const isWhole = !quick && values.only === undefined;
    const results = values.results ?? (isWhole ? join(import.meta.dirname, 'results') : undefined);
    if (results !== undefined) {
      await mkdir(results, { recursive: true });
      await writeFile(join(results, 'results.md'), markdown);
      await writeFile(join(results, 'results.svg'), svgOf(sections));
      for (const { picture } of sections) if (picture) await writeFile(join(results, picture.file), picture.svg);
    }
    if (!quick && sections.some(isVoid)) process.exitCode = 1;
  } finally {
    clearTimeout(guard);
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
