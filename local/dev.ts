import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { extname, relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { DevOptions } from '../client/cli/command.ts';
import { EXIT } from '../client/cli/exit-codes.ts';
import { findNamedFiles } from './named-files.ts';

const START = fileURLToPath(new URL(`./start${extname(import.meta.url)}`, import.meta.url));
const LOOK_EVERY_MS = 300;
/** Properties of a file of which one is another where its text is. */
const MODIFIED = ['mtimeMs', 'size', 'ino'] as const;
/** For a trial, whose schedule is to do nothing. */
const NEVER_SECONDS = 86_400;

/**
 * Runs the broker on loopback in a process of its own, and starts it again when the connections file changes, or a file
 * that it names. A new process also reads again what that file imports. Files that cannot be taken up leave the broker as
 * it is. It takes up a change of the secrets itself. Ends when it is interrupted, or if the first start fails.
 */
export async function runDev({ connections, secrets, flags, say, interruption }: DevOptions): Promise<number> {
  const { promise: failed, resolve: fail } = Promise.withResolvers<number>();
  const secretsPath = resolve(secrets);
  const watched = new Set<string>();
  const changed = new Set<string>();
  let child: ChildProcess | undefined;
  let hasListened = false;
  let hasSecrets = false;
  // True while the files could not be taken up: then the secrets may be what is wanting.
  let isFaulty = false;
  let isBusy = false;

  const words = () => ['--stand-ins', '--connections', connections, ...(hasSecrets ? ['--secrets', secrets] : [])];

  function start(): void {
    const started = fork(START, [...words(), ...flags]);
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

  /** Watches what the files name now. */
  function watch(): void {
    const wanted = new Set([...findNamedFiles(connections), secretsPath]);
    for (const file of watched) if (!wanted.has(file)) unwatch(file);
    for (const file of wanted) {
      if (watched.has(file)) continue;
      watched.add(file);
      watchFile(file, { interval: LOOK_EVERY_MS }, (now, before) => {
        // It also tells that a file was read, and once that one is not there.
        if (MODIFIED.some((each) => now[each] !== before[each])) notice(file);
      });
    }
  }

  function unwatch(file: string): void {
    watched.delete(file);
    unwatchFile(file);
  }

  function notice(file: string): void {
    if (file === secretsPath && hasSecrets && !isFaulty && child !== undefined) return;
    changed.add(file);
    void takeUp();
  }

  /** Takes up what has changed, and what changes meanwhile. */
  async function takeUp(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    while (changed.size > 0 && !interruption.aborted) {
      const names = [...changed].map((file) => relative('.', file)).join(', ');
      changed.clear();
      watch();
      hasSecrets = existsSync(secretsPath);
      const fault = await findFault(words());
      isFaulty = fault !== undefined;
      if (fault !== undefined) {
        say(`${names}: changed, and cannot be taken up:\n${fault}`);
        say(child === undefined ? 'No broker runs.' : 'The broker goes on as before.');
        continue;
      }
      say(`${names}: changed. The broker starts again.`);
      const before = child;
      child = undefined;
      await stop(before);
      if (!interruption.aborted) start();
    }
    isBusy = false;
  }

  hasSecrets = existsSync(secretsPath);
  watch();
  start();
  const interrupted = new Promise<number>((end) => {
    interruption.addEventListener('abort', () => end(EXIT.ok), { once: true });
  });
  const code = await Promise.race([interrupted, failed]);
  for (const file of watched) unwatch(file);
  await stop(child);
  return code;
}

/** Starts a broker with these files, on a free port and with nothing kept, and ends it; gives the fault where it does not start. */
async function findFault(words: readonly string[]): Promise<string | undefined> {
  const trial = fork(START, [...words, '--port', '0', '--refresh-every', String(NEVER_SECONDS)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ended = new Promise((resolve) => trial.once('exit', resolve));
  const said = trial.stderr === null ? Promise.resolve('') : text(trial.stderr);
  const listens = new Promise<boolean>((resolve) => {
    trial.once('message', () => resolve(true));
    trial.once('exit', () => resolve(false));
  });
  const isSound = await listens;
  await stop(trial);
  await ended;
  return isSound ? undefined : (await said).trim();
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
