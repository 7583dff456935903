import { Writable } from 'node:stream';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import { flagsOf } from '../../local/flags.ts';
import { StartError } from '../../local/start-error.ts';
import { startSystem } from '../../local/system.ts';

/** Starts the broker in this process on files that it refuses; gives what `npm start` prints before it ends with 2. */
export async function startRefused(flags: readonly string[]): Promise<string> {
  const log = new Writable({ write: (_chunk, _encoding, done) => done() });
  const starting = startSystem(flagsOf(flags), { log, report: () => undefined });
  const error: unknown = await starting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConfigurationError || error instanceof StartError) return `${error.message}\n`;
  throw error ?? new Error('The broker started.');
}
