import { fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs the module at `url` in a process of its own, which ends with this one, whatever happens here. */
export function forkModule(url: string, environment: Readonly<Record<string, string>> = {}) {
  const child = fork(fileURLToPath(url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  return {
    /** Sends what is asked, if anything is, and gives the next message. */
    async ask(question?: Serializable): Promise<unknown> {
      if (question !== undefined) child.send(question);
      const [reply] = await once(child, 'message');
      return reply;
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
