import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout that the broker is started from. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Limit for a start and for a stop. A process that takes longer hangs. */
const GIVEN_UP_AFTER_MS = 45_000;
/** The banner's last part; the banner is one write, smaller than a pipe's buffer. */
const LAST_PART = /See what it holds.*\n(?: .*\n)+$/;
const LISTENING = /^listening on (\S+)$/m;
const DEMO = /^demo (helpmaster|community|oauth) (\S+)$/gm;

/** The exit of a process, and its whole output. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The broker as its own process. */
export interface BrokerProcess {
  /** `http://127.0.0.1:PORT`, as it printed it. */
  readonly url: string;
  /** URLs of the demo upstreams' knobs, as printed. */
  readonly demo: { readonly helpmaster: string; readonly community: string; readonly oauth: string };
  stdout(): string;
  stderr(): string;
  /** Sends a signal and waits for nothing: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end. `SIGKILL` follows if the process does not end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Spawns `node local/start.ts` with flags; `exit` resolves when the process and its pipes have ended. */
function spawnBroker(flags: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['local/start.ts', ...flags], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  const exit = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...printed }));
  });
  return { child, printed, exit };
}

/** Runs the broker with flags that end it by themselves, and waits for that. */
export async function runBroker(flags: readonly string[]): Promise<Ended> {
  const { child, exit } = spawnBroker(flags);
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVEN_UP_AFTER_MS);
  const ended = await exit;
  clearTimeout(timer);
  return ended;
}

/** Starts the broker on a free port and waits until it says that it listens. Rejects with what it printed otherwise. */
export async function startBroker(
  flags: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<BrokerProcess> {
  const { child, printed, exit } = spawnBroker(['--port', '0', ...flags], environment);
  const ready = new Promise<'ready'>((resolve) => {
    child.stdout.on('data', () => {
      if (LAST_PART.test(printed.stdout)) resolve('ready');
    });
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVEN_UP_AFTER_MS);
  const first = await Promise.race([ready, exit]);
  clearTimeout(timer);
  if (first !== 'ready') throw new Error(`The broker ended before it was ready (${first.code}): ${first.stderr}`);

  const demo = new Map([...printed.stdout.matchAll(DEMO)].map(([, name, url]) => [name, url ?? '']));
  return {
    url: LISTENING.exec(printed.stdout)?.[1] ?? '',
    demo: {
      helpmaster: demo.get('helpmaster') ?? '',
      community: demo.get('community') ?? '',
      oauth: demo.get('oauth') ?? '',
    },
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    signal: (signal) => void child.kill(signal),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), GIVEN_UP_AFTER_MS);
      const ended = await exit;
      clearTimeout(killer);
      return ended;
    },
  };
}
