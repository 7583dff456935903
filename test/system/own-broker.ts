import { mkdtempDisposable, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from './api-client.ts';
import { startBroker } from './broker-process.ts';

/** Values of secrets by connection, as a secrets file has them. */
export type SecretValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A broker process with connections and secrets of the test's own. */
export type OwnBroker = Awaited<ReturnType<typeof startOwnBroker>>;

/** Makes a folder that is removed again by `remove`. */
export const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'token-broker-test-'));

/** The configuration of a broker's upstreams. */
export interface Declared {
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secrets: SecretValues;
  /** Providers of the test's own. */
  readonly providers?: Readonly<Record<string, unknown>>;
}

/** Writes a connections file and a secrets file into the folder at `path`; gives the flags that name them. */
export async function writeBrokerFiles(path: string, { connections, secrets, providers }: Declared) {
  const connectionsFile = join(path, 'connections.json');
  const secretsFile = join(path, 'secrets.json');

  /** Replaces the secrets file in one step, as an operator's editor or a mounted volume does. */
  const writeSecrets = async (values: SecretValues): Promise<void> => {
    const draft = `${secretsFile}.draft`;
    await writeFile(draft, JSON.stringify(values), { mode: 0o600 });
    await rename(draft, secretsFile);
  };
  await writeFile(connectionsFile, JSON.stringify({ connections, providers }));
  await writeSecrets(secrets);
  return { flags: ['--connections', connectionsFile, '--secrets', secretsFile], secretsFile, writeSecrets };
}

/** Starts the broker on a connections file and a secrets file written for it. */
export async function startOwnBroker({ flags = [], ...declared }: Declared & { readonly flags?: readonly string[] }) {
  const folder = await makeFolder();
  try {
    const files = await writeBrokerFiles(folder.path, declared);
    // Files that a killed broker leaves behind are removed with the folder.
    const broker = await startBroker([...files.flags, ...flags], { TMPDIR: folder.path });
    return {
      broker,
      api: createApiClient(broker.url),
      writeSecrets: files.writeSecrets,
      secretsFile: files.secretsFile,
      /** Stops the broker and removes the files. */
      async close() {
        await broker.stop();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
