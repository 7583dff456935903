import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** Describes the machine, software and size of a run, one line each. */
export function describeRun(quick: boolean, rounds: number): readonly (readonly [string, string])[] {
  const [cpu] = cpus();
  const gigabytes = (totalmem() / 1024 ** 3).toFixed(1);
  return [
    ['Date', new Date().toISOString()],
    ['Commit', commit()],
    ['Machine', `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown'}, ${gigabytes} GB, Linux ${release()}`],
    [
      'Load before',
      loadavg()
        .map((load) => load.toFixed(2))
        .join(', '),
    ],
    ['Node', `${process.version}, V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl}`],
    ['Versions', versions().join(', ')],
    ['Mode', quick ? 'quick: says whether it works, not what it costs' : `full, ${rounds} rounds, interleaved`],
  ];
}

function commit(): string {
  try {
    const run = (...given: string[]) => execFileSync('git', given, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = run('status', '--porcelain', '--', 'functions', 'bench', 'local') !== '';
    return `${run('rev-parse', '--short=12', 'HEAD')}${changed ? ', and changes on top' : ''}`;
  } catch {
    return 'unknown';
  }
}

function versions(): readonly string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const all: Record<string, string> = { ...dependencies, ...devDependencies };
  const shown = [
    '@aws-sdk/client-dynamodb',
    '@middy/core',
    '@aws-lambda-powertools/logger',
    'zod',
    'esbuild',
    'dynalite',
  ];
  return shown.filter((name) => name in all).map((name) => `${name} ${all[name]}`);
}
