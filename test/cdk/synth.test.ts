import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
/** Many times what it takes: this says whether it ends, on a busy machine too; the deploy test says how fast. */
const TIMEOUT_MS = 300_000;
const run = promisify(execFile);

const scratch = mkdtempSync(join(tmpdir(), 'token-broker-cdk-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs the app as `cdk synth` does, without anything of AWS in the environment; gives the folder of the assembly. */
async function synth(name: string, { connections, context = {}, cwd = ROOT }: SynthOptions = {}): Promise<string> {
  const output = join(scratch, name);
  const settings = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const env = {
    PATH: process.env['PATH'],
    HOME: scratch,
    CDK_OUTDIR: output,
    CDK_DEFAULT_REGION: 'eu-west-1',
    CDK_CONTEXT_JSON: JSON.stringify({ ...settings.context, ...context }),
    ...(connections === undefined ? {} : { TOKEN_BROKER_CONNECTIONS: connections }),
  };
  await run(process.execPath, [join(ROOT, 'cdk/app.ts')], { cwd, env });
  return output;
}

interface SynthOptions {
  readonly connections?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

describe('the app', () => {
  it(
    'makes a stack of its own for a stage, with its tags, and protected where that is asked for',
    async () => {
      const context = { stage: 'dev', terminationProtection: 'true', tags: 'team=identity,cost-centre=a=b' };
      const output = await synth('staged', { context });
      const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'));
      expect(manifest.artifacts['TokenBroker-token-broker-dev'].properties).toMatchObject({
        terminationProtection: true,
        tags: { team: 'identity', 'cost-centre': 'a=b' },
      });
      const templates = readdirSync(output).filter((name) => name.endsWith('.template.json'));
      const isNested = (name: string) => name.endsWith('.nested.template.json');
      expect(templates.filter((name) => !isNested(name))).toEqual(['TokenBroker-token-broker-dev.template.json']);
      for (const nested of templates.filter(isNested)) expect(nested).toMatch(/^TokenBrokertokenbrokerdevBrokerGroups/);
    },
    TIMEOUT_MS,
  );

  it(
    'needs no credentials, and gives the same template and the same code twice, from another folder too',
    async () => {
      const [first, second] = await Promise.all([synth('first'), synth('second', { cwd: scratch })]);
      const { artifacts } = JSON.parse(readFileSync(join(first, 'manifest.json'), 'utf8'));
      expect(artifacts.TokenBroker.properties.terminationProtection ?? false).toBe(false);
      const templateIn = (output: string) => readFileSync(join(output, 'TokenBroker.template.json'), 'utf8');
      expect(templateIn(second)).toBe(templateIn(first));
      const assets = (output: string) =>
        readdirSync(output)
          .filter((name) => name.startsWith('asset.'))
          .sort();
      expect(assets(second)).toEqual(assets(first));
      for (const asset of assets(first)) {
        const files = readdirSync(join(first, asset));
        expect(files).toEqual(expect.arrayContaining(['configuration.json', 'index.mjs']));
        expect(files.filter((name) => !/^(?:configuration\.json|[\w-]+\.mjs)$/.test(name))).toEqual([]);
      }
    },
    TIMEOUT_MS,
  );

  it.each<readonly [string, SynthOptions]>([
    ['there is no such file: check the path', { connections: join(scratch, 'missing.json') }],
    ['tokenConcurrency must be a whole number from 1', { context: { tokenConcurrency: 'lots' } }],
    ['stage and brokerName both name the broker', { context: { stage: 'dev', brokerName: 'other' } }],
    ['tags are KEY=VALUE', { context: { tags: 'team=identity,prod' } }],
    ['name of a token broker', { context: { stage: 'Dev' } }],
    ['rollout is one of Canary10Percent5Minutes', { context: { rollout: 'Canary1Percent' } }],
    ['canary is CONNECTION or CONNECTION/SUBJECT', { context: { canary: 'wfm/system/more' } }],
    ['There is no connection "crm"', { context: { canary: 'crm' } }],
    ['warmReads and warmWrites go together', { context: { warmReads: '20000' } }],
    ['domainName and certificateArn go together', { context: { domainName: 'tokens.example.com' } }],
  ])(
    'says what is wrong: %s',
    async (message, options) => {
      await expect(synth('refused', options)).rejects.toThrow(message);
    },
    TIMEOUT_MS,
  );
});
