import type { OwnBroker } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { run } from './run.ts';

/** Runs this process's command line. */
export async function runProcess(own: OwnBroker): Promise<void> {
  // A reader that closes the pipe early (`| head -1`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.unforeseen);
  });
  const terminal = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment: process.env,
    interruption() {
      const controller = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
      return controller.signal;
    },
  };
  process.exitCode = await run(process.argv.slice(2), terminal, own);
}
