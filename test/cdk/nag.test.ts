import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { deployed, trustedWorkload } from './deployed.ts';

const everything = {
  strictAudit: true,
  trust: [trustedWorkload],
  rollout: 'Canary10Percent5Minutes',
  canary: { connection: 'wfm' },
} as const;

describe('cdk-nag', () => {
  it('finds nothing, by its AwsSolutions and Serverless rules, that has no reason beside it', () => {
    expect(() => deployed({ ...everything, beforeSynth: check })).not.toThrow();
  });

  it('reports a queue without a reason', () => {
    let app: App | undefined;
    const build = () =>
      deployed({
        beforeSynth: (made) => {
          app = made;
          check(made);
        },
        build: (stack) => {
          new CfnQueue(stack, 'Bare');
        },
      });
    expect(build).toThrow();
    const report = readFileSync(join(app?.outdir ?? '', 'validation-report.json'), 'utf8');
    expect(report).toContain('TokenBroker/Bare');
  });
});

function check(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}
