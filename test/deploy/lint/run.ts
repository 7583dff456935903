import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { findNestedTemplates } from '../../../cdk/assembly.ts';
import { stackNameOf } from '../../../cdk/names.ts';
import type { TokenBrokerProps } from '../../../cdk/token-broker.ts';
import { TokenBrokerStack } from '../../../cdk/token-broker-stack.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { defineConnections } from '../../../functions/configuration/declaration.ts';
import { ROOT } from '../deployment.ts';
import { execute } from '../execute.ts';
import { installPackages, MissingTool } from '../python-tools.ts';
import { everyKind } from './every-setting.ts';

/** The newest version is the one with the newest schemas. */
const PACKAGES = ['cfn-lint==1.58.0'];
const ACCOUNT = '111122223333';
/** W3005: CDK has a function depend on its role's policies, and names the role with them. */
const IGNORED = ['--ignore-checks', 'W3005'];
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-2', 'sa-east-1'];

/** Two stacks a region, each with its nested ones: with every setting that goes with an API on the internet, and private. */
function synthesize(region: string, outdir: string): readonly string[] {
  const app = new App({
    outdir,
    builtinCloudFormationValidation: false,
    // Its code is nothing of a template.
    context: { ...recommendedFlags, 'aws:cdk:bundling-stacks': [] },
  });

  function add(name: string, props: (stack: Stack) => Partial<TokenBrokerProps>): string {
    const stack = new TokenBrokerStack(app, stackNameOf(name), {
      env: { account: ACCOUNT, region },
      broker: (scope) => ({ name, connections: resolveConnections(defineConnections(everyKind)), ...props(scope) }),
    });
    const reader = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
    stack.broker.grantToken(reader, 'helpdesk', { subjects: 'all' });
    stack.broker.grantOperate(new iam.AccountPrincipal('444455556666'), 'wfm');
    return stack.templateFile;
  }

  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
  const files = [
    add('internet', (scope) => ({
      tracing: true,
      dashboard: true,
      canary: { connection: 'wfm' },
      rollout: 'Canary10Percent5Minutes',
      tokenConcurrency: 50,
      mintConcurrency: 10,
      proxyConcurrency: 10,
      callers: [`arn:aws:iam::${ACCOUNT}:role/reporting-*`, 'o-0123456789'],
      throttle: { rateLimit: 50, burstLimit: 100 },
      webAclArn: arn('wafv2', 'regional/webacl/name/12345678-1234-1234-1234-123456789012'),
      alarmTopic: Topic.fromTopicArn(scope, 'Topic', arn('sns', 'alarms')),
      domain: {
        domainName: 'tokens.example.org',
        certificate: Certificate.fromCertificateArn(
          scope,
          'Certificate',
          arn('acm', 'certificate/12345678-1234-1234-1234-123456789012'),
        ),
      },
    })),
    add('private', () => ({ endpoint: { private: ['vpce-0123456789abcdef0'] }, apiLogRole: false })),
  ];
  app.synth();
  return [...files.map((file) => join(outdir, file)), ...findNestedTemplates(outdir)];
}

/** Checks the templates of every region against its schemas. Gives the exit code. */
async function main(): Promise<number> {
  const bin = await installPackages(join(ROOT, 'node_modules/.cache/token-broker'), 'cfn-lint', PACKAGES);
  const scratch = mkdtempSync(join(tmpdir(), 'token-broker-lint-'));
  let worst = 0;
  try {
    for (const region of REGIONS) {
      const templates = synthesize(region, join(scratch, region));
      const words = ['--format', 'parseable', ...IGNORED, '--regions', region, '--template', ...templates];
      const { code, output } = await execute(join(bin, 'cfn-lint'), words, { cwd: scratch, env: { PATH: bin } });
      process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${region}: ${templates.length} templates\n${output}`);
      worst = Math.max(worst, code);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return worst;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof MissingTool)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
