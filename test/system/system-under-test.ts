import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createMemorySecrets, type MemorySecrets, type SecretFields } from '../../local/secret-source.ts';
import { type LocalSystem, startSystem, type TestControls } from '../../local/system.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { makeFolder } from './own-broker.ts';

/** The whole broker in this process, with its platform and its secrets in the hands of the test. */
export interface SystemUnderTest {
  readonly url: string;
  readonly api: ApiClient;
  readonly controls: TestControls;
  readonly secrets: MemorySecrets;
  /** The log and reports so far. */
  log(): string;
  close(): Promise<void>;
}

/** A schedule so rare that a test runs the sweep itself. */
const NO_SCHEDULE_SECONDS = 86_400;

/** Starts it on a connections file written for it; secrets are by connection. */
export async function startSystemUnderTest({
  connections,
  secrets: values,
  strictAudit = false,
  refreshEverySeconds = NO_SCHEDULE_SECONDS,
  dataDir,
}: {
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secrets: Readonly<Record<string, SecretFields>>;
  readonly strictAudit?: boolean;
  readonly refreshEverySeconds?: number;
  /** The folder of the store. Default: in memory. */
  readonly dataDir?: string;
}): Promise<SystemUnderTest> {
  const folder = await makeFolder();
  const connectionsFile = join(folder.path, 'connections.json');
  await writeFile(connectionsFile, JSON.stringify({ connections, strictAudit }));

  let written = '';
  const log = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const given: { controls?: TestControls; secrets?: MemorySecrets } = {};
  let system: LocalSystem;
  try {
    system = await startSystem(
      {
        port: 0,
        refreshEverySeconds,
        dataDir,
        dynamodbUrl: undefined,
        connectionsFile,
        secretsFile: undefined,
        demo: false,
        requireSigv4: false,
        help: false,
      },
      {
        log,
        report: (message) => {
          written += `${message}\n`;
        },
        onControls: (controls) => {
          given.controls = controls;
        },
        secrets: (options) => {
          given.secrets = createMemorySecrets(options);
          for (const [connection, value] of Object.entries(values)) given.secrets.put(connection, value);
          return given.secrets;
        },
      },
    );
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const { controls, secrets } = given;
  if (controls === undefined || secrets === undefined) throw new Error('the system gave no controls');
  return {
    url: system.url,
    api: createApiClient(system.url),
    controls,
    secrets,
    log: () => written,
    async close() {
      await system.close();
      await folder.remove();
    },
  };
}
