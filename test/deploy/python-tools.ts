import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './execute.ts';

/** A tool that a test needs is not installed. The message says how to get it. */
export class MissingTool extends Error {}

/**
 * Installs packages from PyPI into a folder of their own under `cache`, once, and gives the folder of their commands.
 * Throws `MissingTool` where Python is not there, or the packages cannot be had.
 */
export async function installPackages(cache: string, name: string, packages: readonly string[]): Promise<string> {
  const python = await execute('python3', ['--version']);
  if (python.code !== 0) {
    throw new MissingTool(
      `python3 is not there, and ${name} needs it. On Debian: apt-get install python3 python3-venv`,
    );
  }
  const version = createHash('sha256')
    .update(JSON.stringify([packages, python.output]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, `${name}-${version}`);
  const bin = join(folder, 'bin');
  const done = join(folder, 'installed');
  if (existsSync(done)) return bin;
  mkdirSync(cache, { recursive: true });
  const venv = await execute('python3', ['-m', 'venv', '--clear', folder]);
  if (venv.code !== 0) {
    throw new MissingTool(
      `python3 cannot make a virtual environment. On Debian: apt-get install python3-venv\n${venv.output}`,
    );
  }
  const pip = await execute(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
  if (pip.code !== 0) {
    throw new MissingTool(
      `${name} cannot be installed. This needs PyPI, or a mirror named by PIP_INDEX_URL:\n  pip install ${packages.join(' ')}\n${pip.output}`,
    );
  }
  writeFileSync(done, '');
  return bin;
}
