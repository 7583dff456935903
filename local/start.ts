import { printable } from '../client/printable.ts';
import { ConfigurationError } from '../functions/configuration/errors.ts';
import { type Flags, flagsOf, HELP } from './flags.ts';
import { StartError } from './start-error.ts';

/** Exit code for errors that the user can mend: flags, files, a port. */
const USAGE = 2;

async function main(): Promise<void> {
  const flags = flagsOf(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  // Imported only now, so that errors of the flags appear before everything is loaded.
  const [{ startSystem }, { bannerOf }, { createTerminalLog }] = await Promise.all([
    import('./system.ts'),
    import('./banner.ts'),
    import('./terminal-log.ts'),
  ]);
  const isLookedAt = process.stderr.isTTY === true;
  const system = await startSystem(flags, {
    log: isLookedAt ? createTerminalLog(process.stderr, flags.verbose) : process.stderr,
    report: (message) => process.stderr.write(`${printable(message)}\n`),
  }).catch((error: unknown) => {
    throw explained(error, flags);
  });
  const stop = (): void => {
    for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.removeListener(event, stop);
    if (process.connected) process.disconnect();
    if (isLookedAt && !flags.verbose) process.stderr.write('\nStopping: requests in flight have 2 seconds to end.\n');
    void system.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Printed last: a reader may stop the process as soon as it is said to listen.
  process.stdout.write(bannerOf(system, flags.requireSigv4));
  // If `token-broker dev` started this process, it stops when that one ends.
  process.send?.('listening');
  process.once('disconnect', stop);
}

function explained(error: unknown, { port }: Flags): unknown {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return isTaken ? new StartError(`Port ${port} is taken. Choose another with --port N; 0 picks a free one.`) : error;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError || error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${printable(error.message)}\n`);
  process.exitCode = USAGE;
}
