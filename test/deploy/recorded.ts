import { execFileSync } from 'node:child_process';
import { ROOT } from './deployment.ts';
import { EMULATOR } from './ministack.ts';

/** The code that a deployment to the emulator is made of. */
const FOLDERS = ['functions', 'cdk', 'local', 'test/deploy'];

/** Says when, at which commit and on which emulator something was seen. */
export function describeRun(): string {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
  const changed = git('status', '--porcelain', '--', ...FOLDERS) === '' ? '' : ', with changes on top';
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, commit ${git('rev-parse', '--short=12', 'HEAD')}${changed}, ${EMULATOR}`;
}
