import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeTemplates } from './assembly.ts';

const ROOT = join(import.meta.dirname, '..');
const ASSEMBLY = join(ROOT, 'cdk.out');

// Synthesizes the broker as `npm run deploy` does, and says how large each template is and how long it took.
const began = performance.now();
// CDK leaves the templates of nested stacks there that it no longer has.
rmSync(ASSEMBLY, { recursive: true, force: true });
const words = ['synth', '--quiet', '--output', ASSEMBLY, ...process.argv.slice(2)];
const cdk = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
const { status } = spawnSync(process.execPath, [cdk, ...words], { cwd: ROOT, stdio: 'inherit' });
if (status === 0) {
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  process.stdout.write(`${describeTemplates(ASSEMBLY)}\nSynthesized in ${seconds} s.\n`);
}
process.exitCode = status ?? 1;
