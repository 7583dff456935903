import { spawn } from 'node:child_process';

/** The result of a command: its exit code, and its unchanged standard output and error. */
export interface Executed {
  readonly code: number;
  readonly output: string;
}

export interface ExecuteOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this the command and all that it started are ended. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 600_000;

/** Runs a command to its end. A command that is not there has the code 127, as in a shell. Never rejects. */
export function execute(command: string, args: readonly string[], options: ExecuteOptions = {}): Promise<Executed> {
  const { timeoutMs = TIMEOUT_MS, ...spawned } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...spawned, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    const timer = setTimeout(() => {
      output += `\nIt took longer than ${timeoutMs / 1000} s.`;
      endGroup(child.pid, 'SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Signals a process that was started as the leader of a group, and all that it started. */
export function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
