import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoUpstreams } from '../../local/demo-upstreams.ts';
import { ROOT } from './deployment.ts';
import { execute } from './execute.ts';
import { installMinistack, startMinistack } from './ministack.ts';
import { createPlace, type Place, REGION } from './place.ts';
import { MissingTool } from './python-tools.ts';
import { createReport, type Report } from './report.ts';

const LOG_LINES_SHOWN = 40;

/**
 * Puts the emulator and the demo upstreams there, does the work, and takes everything away again, on a signal too. Sets the
 * exit code, and says what went wrong.
 */
export async function withPlace(work: (report: Report, place: Place) => Promise<void>): Promise<void> {
  const closing: (() => Promise<void> | void)[] = [];
  async function closeAll(): Promise<void> {
    for (const close of closing.splice(0).reverse()) await close();
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void closeAll().finally(() => process.exit(1));
    });
  }
  try {
    await run(closing, work);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  } finally {
    await closeAll();
  }
}

async function run(
  closing: (() => Promise<void> | void)[],
  work: (report: Report, place: Place) => Promise<void>,
): Promise<void> {
  const report = createReport((line) => process.stdout.write(`${line}\n`));
  const scratch = mkdtempSync(join(tmpdir(), 'token-broker-deploy-'));
  closing.push(() => rmSync(scratch, { recursive: true, force: true }));

  const bin = await report.step('The emulator of AWS is installed', async () => {
    const curl = await execute('curl', ['--version']);
    if (curl.code !== 0)
      throw new MissingTool(
        'curl is not there, and the document calls the API with it. On Debian: apt-get install curl',
      );
    return installMinistack(join(ROOT, 'node_modules/.cache/token-broker'));
  });
  const demo = await startDemoUpstreams(0);
  closing.push(demo.close);
  const otherDemo = await startDemoUpstreams(0);
  closing.push(otherDemo.close);

  const path = [bin, join(ROOT, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(':');
  const logFile = join(scratch, 'ministack.log');
  const emulator = await report.step('The emulator is started: signatures and IAM enforced, over TLS', () =>
    startMinistack({
      bin,
      region: REGION,
      folder: scratch,
      logFile,
      environment: {
        PATH: path,
        HOME: scratch,
        TMPDIR: scratch,
        // The emulator loads a function by `require`, and by `import`, as Lambda does, only where that is refused.
        NODE_OPTIONS: '--no-experimental-require-module',
      },
    }),
  );
  closing.push(emulator.close);

  try {
    await work(report, createPlace({ scratch, logFile, path, emulator, demo, otherDemo }));
  } catch (error) {
    const log = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
    process.stderr.write(`The end of the emulator's log:\n${log.join('\n')}\n\n`);
    throw error;
  }
}

function describe(error: unknown): string {
  if (error instanceof MissingTool) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
