import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import type { OwnBroker } from '../client/cli/command.ts';
import { UsageError } from '../client/cli/exit-codes.ts';
import { makePrivateFolder } from '../client/private-folder.ts';
import { ConfigurationError } from '../functions/configuration/errors.ts';
import { runDev } from './dev.ts';
import { installApp, writeApp } from './init.ts';
import { canReplace, writeSecretFields } from './secrets-file-write.ts';
import { StartError } from './start-error.ts';

const NEVER_SECONDS = 86_400;

/**
 * The broker of a clone: the whole system on loopback, to try a login before any deployment. Refusals and back-offs are
 * kept for the next try, in a folder of this user's, since many tries of a wrong password lock an account as logins do.
 * The next value of a credential that rotates goes into the secrets file before the answer is used further.
 */
export const ownBroker: OwnBroker = {
  async start({ connections, secrets, connection }, say) {
    const dataDir = folderFor(connections, secrets, connection);
    await makePrivate(dataDir);
    // Loaded only here: no other command needs the system.
    const [{ startSystem }, { flagsOf }] = await Promise.all([import('./system.ts'), import('./flags.ts')]);
    const files = ['--connections', connections, '--secrets', secrets, '--data', dataDir];
    const flags = flagsOf(['--port', '0', '--refresh-every', String(NEVER_SECONDS), ...files]);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const onNextValues = (name: string, fields: Readonly<Record<string, unknown>>) =>
      writeSecretFields(secrets, name, fields);
    const system = await startSystem(flags, { log: nowhere, report: say, onNextValues }).catch((error: unknown) => {
      if (!(error instanceof StartError || error instanceof ConfigurationError)) throw error;
      throw new UsageError(error.message);
    });
    const isRotating = system.configuration.connections[connection]?.keptSecret !== undefined;
    if (isRotating && !(await canReplace(secrets))) {
      await system.close();
      throw new UsageError(
        `A login of ${connection} answers with the next value of its credential, and ${secrets} cannot be replaced to keep it: give a file that can. Nothing was sent.`,
      );
    }
    return {
      url: system.url,
      async close(hasToken) {
        await system.close();
        // No token outlives the try, and after a success there is nothing to remember.
        if (hasToken) await rm(dataDir, { recursive: true, force: true });
        else say(`Back-off and refusals of ${connection} are remembered in ${dataDir}; without it they are forgotten.`);
      },
    };
  },
  writeApp,
  installApp,
  runDev,
  async deploy(options) {
    // Loaded only here: CDK is a peer, and who wants the command line alone has none.
    const { deploy } = await import('../cdk/deploy.ts');
    return deploy(options);
  },
  schema: () => readFileSync(new URL('../connections.schema.json', import.meta.url), 'utf8').trimEnd(),
};

/** The folder of what tries of a connection in these files have left. */
function folderFor(connections: string, secrets: string, connection: string): string {
  const parts = [resolve(connections), resolve(secrets), connection];
  const name = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
  return join(tmpdir(), `token-broker-try-${userInfo().uid}-${name}`);
}

/** Makes a folder that none but this user can read. Throws a `UsageError` where another made it, or a link. */
export async function makePrivate(folder: string): Promise<void> {
  if (await makePrivateFolder(folder)) return;
  throw new UsageError(`${folder} is not this user's alone: remove it, or set TMPDIR to a folder of your own.`);
}
