import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DevOptions } from '../client/cli/command.ts';
import { EXIT } from '../client/cli/exit-codes.ts';

const START = fileURLToPath(new URL(`./start${extname(import.meta.url)}`, import.meta.url));
const LOOK_EVERY_MS = 300;

/**
 * Runs the broker on loopback in a process of its own, and starts it again when the connections file changes. A new
 * process also reads again what that file imports. Ends when it is interrupted, or if the first start fails.
 */
export async function runDev({ connections, secrets, flags, say, interruption }: DevOptions): Promise<number> {
  const { promise: failed, resolve: fail } = Promise.withResolvers<number>();
  let child: ChildProcess | undefined;
  let hasListened = false;

  function start(): void {
    const files = ['--connections', connections, ...(existsSync(secrets) ? ['--secrets', secrets] : [])];
    const env = { ...process.env };
    hideVersionWarning(env);
    const started = fork(START, [...files, '--stand-ins', ...flags], { env });
    child = started;
    started.once('message', () => {
      hasListened = true;
    });
    started.once('exit', (code) => {
      if (child !== started) return;
      child = undefined;
      if (!hasListened) fail(code ?? EXIT.unforeseen);
      else if (!interruption.aborted) say(`The broker has ended. The next change of ${connections} starts it again.`);
    });
  }

  async function restart(): Promise<void> {
    say(`${connections} has changed.`);
    const before = child;
    child = undefined;
    await stop(before);
    if (!interruption.aborted && child === undefined) start();
  }

  watchFile(connections, { interval: LOOK_EVERY_MS }, () => void restart());
  start();
  const interrupted = new Promise<number>((resolve) => {
    interruption.addEventListener('abort', () => resolve(EXIT.ok), { once: true });
  });
  const code = await Promise.race([interrupted, failed]);
  unwatchFile(connections);
  await stop(child);
  return code;
}

/** Hides the SDK's warning that its next version needs a newer Node: the package has this version inside. */
export function hideVersionWarning(environment: NodeJS.ProcessEnv): void {
  environment['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
