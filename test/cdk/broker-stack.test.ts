import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBrokerStack } from '../../cdk/broker-stack.ts';
import { defineConnections } from '../../functions/configuration/declaration.ts';
import { declared, newApp } from './deployed.ts';

const connections = defineConnections({ connections: { wfm: declared.wfm } });
const REGION_WARNING = Match.stringLikeRegexp('Nothing names a region, and CDK takes us-east-1');

beforeEach(() => {
  // Nothing of this machine's.
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, '');
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function createFor(region: string, context: Readonly<Record<string, string>> = {}) {
  vi.stubEnv('CDK_DEFAULT_REGION', region);
  const app = newApp();
  for (const [key, value] of Object.entries(context)) app.node.setContext(key, value);
  return createBrokerStack(app, connections);
}

describe('createBrokerStack', () => {
  it('names stack and broker for the stage, and lets in whom --allow-me names', () => {
    const stack = createFor('eu-west-1', { stage: 'dev', allowMe: 'arn:aws:iam::111122223333:user/ada' });
    expect([stack.stackName, stack.broker.name]).toEqual(['TokenBroker-token-broker-dev', 'token-broker-dev']);
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).toContain('arn:aws:iam::111122223333:user/ada');
  });

  it('warns where the region is what CDK falls back to, and nobody has named it', () => {
    Annotations.fromStack(createFor('us-east-1')).hasWarning('*', REGION_WARNING);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    Annotations.fromStack(createFor('us-east-1')).hasNoWarning('*', REGION_WARNING);
    vi.stubEnv('AWS_REGION', '');
    Annotations.fromStack(createFor('eu-west-1')).hasNoWarning('*', REGION_WARNING);
  });
});

describe('the metrics of a connection', () => {
  it('are those that all functions publish together', () => {
    const { broker } = createFor('eu-west-1');
    const metrics = [broker.metricHandOuts('wfm'), broker.metricLoginLatency('wfm', { statistic: 'SampleCount' })];
    expect(metrics.map((each) => each.toMetricConfig().metricStat)).toMatchObject([
      { namespace: 'token-broker', metricName: 'HandOuts', dimensions: [{ name: 'connection', value: 'wfm' }] },
      { metricName: 'LoginLatency', dimensions: [{ name: 'connection', value: 'wfm' }], statistic: 'SampleCount' },
    ]);
    expect(() => broker.metricHandOuts('wmf')).toThrow('There is no connection wmf.');
  });
});
