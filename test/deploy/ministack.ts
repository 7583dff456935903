import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { endGroup } from './execute.ts';
import { installPackages } from './python-tools.ts';

/** The emulator, by its name and version on PyPI. */
export const EMULATOR = 'ministack 1.5.33';
const PACKAGES = [EMULATOR.replace(' ', '=='), 'cryptography==50.0.2', 'awscli==1.46.3'];
/** Starts the emulator with what it lacks. */
const LAUNCHER = join(import.meta.dirname, 'emulator');
/** Executions of a new account, whatever a deployment keeps for a function of it. */
const ACCOUNT_EXECUTIONS = 10;
const READY_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/** An emulator of AWS, running, with signatures and IAM enforced, over TLS. */
export interface Ministack {
  /** `https://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** The file of the certificate that it shows, on its address and on the names of REST APIs of its region. */
  readonly certificate: string;
  close(): Promise<void>;
}

/** Installs the emulator and the AWS CLI, as `installPackages` does. */
export function installMinistack(cache: string): Promise<string> {
  return installPackages(cache, 'ministack', PACKAGES);
}

/**
 * Starts the emulator on a free port of 127.0.0.1, with `environment` for itself and for the functions it runs; it logs
 * to `logFile`. Whatever it started ends with it.
 */
export async function startMinistack(options: {
  readonly bin: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly region: string;
  readonly folder: string;
  readonly logFile: string;
}): Promise<Ministack> {
  const { bin, environment, region, folder, logFile } = options;
  const port = await freePort();
  const endpoint = `https://127.0.0.1:${port}`;
  const certificate = join(folder, 'emulator.crt');
  const log = openSync(logFile, 'a');
  const child = spawn(join(bin, 'python'), ['-B', LAUNCHER], {
    cwd: folder,
    env: {
      ...environment,
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificate,
      MINISTACK_SSL_KEY: join(folder, 'emulator.key'),
      // The functions trust it too.
      NODE_EXTRA_CA_CERTS: certificate,
      MINISTACK_REGION: region,
      MINISTACK_HOST: `${region}.amazonaws.com`,
      LAMBDA_ACCOUNT_CONCURRENCY: String(ACCOUNT_EXECUTIONS),
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
    },
    stdio: ['ignore', log, log],
    // A group of its own: the functions that it runs are its children, and must end with it.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { pid } = child;
  if (pid === undefined) throw new Error('The emulator did not start.');

  async function close(): Promise<void> {
    endGroup(pid, 'SIGTERM');
    await Promise.race([ended, sleep(ENDS_WITHIN_MS)]);
    endGroup(pid, 'SIGKILL');
    await ended;
  }

  for (const until = Date.now() + READY_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    if (await answers(endpoint, certificate)) return { endpoint, certificate, close };
    if (child.exitCode !== null || Date.now() > until) {
      await close();
      throw new Error(`The emulator does not answer on ${endpoint}. Its log: ${logFile}`);
    }
  }
}

/** Reports whether the emulator answers. Its certificate is written as it starts. */
async function answers(endpoint: string, certificate: string): Promise<boolean> {
  if (!existsSync(certificate)) return false;
  return new Promise((resolve) => {
    const options = { ca: readFileSync(certificate), signal: AbortSignal.timeout(1_000) };
    get(`${endpoint}/_ministack/health`, options, (response) => {
      response.resume();
      response.once('end', () => resolve(true));
    }).once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = new URL(await listenOnLoopback(server, 0));
  await closeServer(server);
  return Number(port);
}
