import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createApiClient } from '../system/api-client.ts';
import type { ControlMessage } from './controlled-main.ts';

const MAIN = fileURLToPath(new URL('controlled-main.ts', import.meta.url));
const STOP_WITHIN_MS = 15_000;

/** Starts a broker process whose platform the test can break, with flags of `npm start`, and waits until it listens. */
export async function startControlledBroker(flags: readonly string[]) {
  const child = fork(MAIN, ['--port', '0', ...flags], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(child, 'exit');
  const { url } = await Promise.race([
    answerOf(child),
    ended.then(() => Promise.reject(new Error('The broker ended before it was ready.'))),
  ]);
  return {
    api: createApiClient(String(url)),
    async control(message: ControlMessage) {
      const answered = answerOf(child);
      child.send(message);
      await answered;
    },
    async stop() {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(killer);
    },
  };
}

async function answerOf(child: ChildProcess): Promise<{ readonly url?: unknown }> {
  const [message] = await once(child, 'message');
  return Object(message);
}
