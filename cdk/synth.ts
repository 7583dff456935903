import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { assemblyOf, describeTemplates, findCdk, prepareSynth } from './assembly.ts';

const ROOT = join(import.meta.dirname, '..');
const ASSEMBLY = assemblyOf(ROOT);

// Synthesizes the broker as `npm run deploy` does, and says how large each template is and how long it took.
const began = performance.now();
const words = prepareSynth(ASSEMBLY, process.argv.slice(2));
const { status } = spawnSync(process.execPath, [findCdk(ROOT) ?? 'cdk', ...words], { cwd: ROOT, stdio: 'inherit' });
if (status === 0) {
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  process.stdout.write(`${describeTemplates(ASSEMBLY)}\nSynthesized in ${seconds} s.\n`);
}
process.exitCode = status ?? 1;
