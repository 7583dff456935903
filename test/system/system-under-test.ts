import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { demoOAuthSecret } from '../../local/demo/oauth.ts';
import { flagsOf } from '../../local/flags.ts';
import { createMemorySecrets, type MemorySecrets, type SecretFields } from '../../local/secret-source.ts';
import { type LocalSystem, startSystem, type TestControls } from '../../local/system.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { makeFolder } from './own-broker.ts';

/** The whole broker in this process, with its platform and its secrets in the hands of the test. */
export interface SystemUnderTest extends LocalSystem {
  readonly api: ApiClient;
  readonly controls: TestControls;
  readonly secrets: MemorySecrets;
  /** The log and reports so far. */
  log(): string;
}

/**
 * Starts it on a free port, on a connections file written for it or else as the demo; secrets are by connection, and
 * `flags` are more of those of `npm start`. The schedule is so rare that a test runs the sweep itself.
 */
export async function startSystemUnderTest({
  secrets: values = { helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret, orders: demoOAuthSecret },
  flags = [],
  ...file
}: {
  readonly connections?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly providers?: Readonly<Record<string, unknown>>;
  readonly strictAudit?: boolean;
  readonly trust?: readonly Readonly<Record<string, unknown>>[];
  readonly secrets?: Readonly<Record<string, SecretFields>>;
  readonly flags?: readonly string[];
} = {}): Promise<SystemUnderTest> {
  const folder = await makeFolder();
  const path = join(folder.path, 'connections.json');
  await writeFile(path, JSON.stringify(file));
  // The secrets are in memory, and this file is not read for them.
  const own = file.connections === undefined ? [] : ['--connections', path, '--secrets', path];

  let written = '';
  const log = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const given: { controls?: TestControls; secrets?: MemorySecrets } = {};
  const system = await startSystem(flagsOf(['--port', '0', '--refresh-every', '86400', ...own, ...flags]), {
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
  }).finally(folder.remove);
  const { controls, secrets } = given;
  if (controls === undefined || secrets === undefined) throw new Error('the system gave no controls');
  return { ...system, api: createApiClient(system.url), controls, secrets, log: () => written };
}
