import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './deployment.ts';
import { EMULATOR } from './ministack.ts';

/** The code that a deployment to the emulator is made of. */
const FOLDERS = ['functions', 'cdk', 'local', 'test/deploy'];

/** Writes a page of `bench/results`: a title, the state of the code that it is about, and what was seen. */
export function recordPage(name: string, title: string, text: string): void {
  const facts = [
    ['Date', new Date().toISOString()],
    ['Commit', commit()],
    ['Emulator', `${EMULATOR}, mended (ADR 0026), on ${availableParallelism()} cores`],
  ];
  const head = facts.map(([what, is]) => `- **${what}**: ${is}`).join('\n');
  writeFileSync(join(ROOT, 'bench/results', name), `# ${title}\n\n${head}\n\n${text.trim()}\n`);
}

function commit(): string {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
  const changed = git('status', '--porcelain', '--', ...FOLDERS) === '' ? '' : ', and changes on top';
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed}`;
}
