import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The files of the simulation. */
const COPIED = ['package.json', 'functions', 'test/simulation', 'local/aws/secret-state.ts', 'local/aws/aws-error.ts'];

/** The verdict of the simulation on a mutant. */
export interface MutantVerdict {
  readonly isCaught: boolean;
  /** Its last words: the first seed that failed, and why. */
  readonly said: string;
}

/** Breaks a copy of the broker as `mutant` says and runs the simulation on it until a seed fails. Throws where the code to break is not there once. */
export async function simulateMutant(mutant: Mutant, seeds: number): Promise<MutantVerdict> {
  const copy = mkdtempSync(join(tmpdir(), 'token-broker-mutant-'));
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const file = join(copy, mutant.file);
    const parts = readFileSync(file, 'utf8').split(mutant.find);
    if (parts.length !== 2)
      throw new Error(`${mutant.file} has ${parts.length - 1} places to break for: ${mutant.name}`);
    writeFileSync(file, parts.join(mutant.replace));
    return await run(copy, seeds, mutant.isOfRotation === true);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function run(copy: string, seeds: number, isRotating: boolean): Promise<MutantVerdict> {
  const flags = ['--seeds', String(seeds), '--first-failure', ...(isRotating ? [`--from=-${seeds}`] : [])];
  const child = spawn(process.execPath, ['test/simulation/cli.ts', ...flags], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const said = output.split('\n').find((line) => line.startsWith('seed ')) ?? output.trim();
      // 2 is for wrong flags: nothing was simulated then.
      resolve({ isCaught: code === 1 && said !== '', said });
    });
  });
}
