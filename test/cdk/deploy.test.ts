import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Many times what it takes: it synthesizes, on a busy machine too. */
const TIMEOUT_MS = 300_000;

const DEPLOYED =
  '<GetTemplateResponse><GetTemplateResult><TemplateBody>{}</TemplateBody></GetTemplateResult></GetTemplateResponse>';

it(
  'says that it could not read what is deployed, and deploys nothing, where CloudFormation refuses one of its calls',
  async () => {
    const asked: string[] = [];
    const cloudFormation = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const action = new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('Action') ?? '';
      asked.push(action);
      const refused = `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no ${action}</Message></Error></ErrorResponse>`;
      response.statusCode = action === 'GetTemplate' ? 200 : 403;
      response.end(action === 'GetTemplate' ? DEPLOYED : refused);
    });
    const scratch = mkdtempSync(join(tmpdir(), 'token-broker-refused-'));
    const url = await listenOnLoopback(cloudFormation, 0);
    onTestFinished(() => {
      rmSync(scratch, { recursive: true, force: true });
      return closeServer(cloudFormation);
    });
    const connections = join(scratch, 'connections.json');
    const helpdesk = { provider: 'helpmaster', baseUrl: 'https://helpdesk.internal/api' };
    writeFileSync(connections, JSON.stringify({ connections: { helpdesk } }));

    const { code, output } = await runDeploy({
      PATH: process.env['PATH'],
      HOME: scratch,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'of-nobody',
      AWS_SECRET_ACCESS_KEY: 'of-nobody',
      AWS_ENDPOINT_URL: url,
      TOKEN_BROKER_CONNECTIONS: connections,
    });

    expect(output).toMatch(/^What is deployed now could not be read: AccessDenied: no DescribeStacks$/m);
    expect(code).toBe(2);
    // CDK has asked who it is before, for the synth.
    expect(asked.slice(-2)).toEqual(['GetTemplate', 'DescribeStacks']);
  },
  TIMEOUT_MS,
);

function runDeploy(env: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'cdk/deploy.ts')], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
