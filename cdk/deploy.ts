import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findAdvice, findRegion, NO_REGION, replaceStage } from './deploy-advice.ts';

/** Exit code for a fault that the operator can fix before anything is deployed. */
const USAGE = 2;
/** The end of the output that is searched for a known error. */
const KEPT_CHARACTERS = 50_000;

/** The text of AWS's configuration file; empty where there is none. */
function awsConfiguration(): string {
  try {
    return readFileSync(process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws/config'), 'utf8');
  } catch {
    return '';
  }
}

/** Runs `cdk deploy` with what was given on the command line, shows what it says, and gives exit code and output. */
function runCdk(given: readonly string[], region: string): Promise<{ readonly code: number; readonly output: string }> {
  const cdk = join(import.meta.dirname, '../node_modules/aws-cdk/bin/cdk');
  // Its question needs a terminal of its own; `npx cdk diff` shows what would change.
  const approval = given.some((each) => each.startsWith('--require-approval')) ? [] : ['--require-approval', 'never'];
  const env = { ...process.env, AWS_REGION: region };
  const child = spawn(process.execPath, [cdk, 'deploy', ...approval, ...given], {
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
    to.write(chunk);
    output = (output + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep(process.stdout));
  child.stderr.on('data', keep(process.stderr));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const region = findRegion(process.env, awsConfiguration());
if (region === undefined) {
  process.stderr.write(`${NO_REGION}\n`);
  process.exitCode = USAGE;
} else {
  const { code, output } = await runCdk(replaceStage(process.argv.slice(2)), region);
  const advice = code === 0 ? undefined : findAdvice(output);
  if (advice !== undefined) process.stderr.write(`\n${advice}\n`);
  process.exitCode = code;
}
