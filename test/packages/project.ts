import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';
import { MACHINE } from './machine.ts';

const run = promisify(execFile);

/** A folder outside the clone, with what is typed there. */
export interface Project {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a command to its end; gives its stdout, and throws with all it said where it fails. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Starts a command that goes on; its stdout and stderr are to be read. */
  start(command: string, ...args: readonly string[]): ChildProcess;
  /** Installs packages, or what the manifest names, from npm's cache where it has them. */
  install(...packages: readonly string[]): Promise<void>;
}

/** Makes an empty folder; it goes after the tests of the file. */
export async function makeFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'token-broker-package-')));
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Gives the project in a folder, which it makes. */
export async function projectIn(folder: string): Promise<Project> {
  await mkdir(folder, { recursive: true });
  const options = { cwd: folder, env: MACHINE };
  const project: Project = {
    folder,
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
    },
    async run(command, ...args) {
      const { stdout } = await run(command, args, { ...options, maxBuffer: 50_000_000 }).catch((error: unknown) => {
        const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
        throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
      });
      return stdout;
    },
    start: (command, ...args) => spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }),
    async install(...packages) {
      await project.run(
        'npm',
        'install',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        ...packages,
      );
    },
  };
  return project;
}
