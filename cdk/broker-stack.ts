import { Annotations, type App } from 'aws-cdk-lib';
import { findRegion, readAwsConfiguration } from './deploy-advice.ts';
import { stackNameOf } from './names.ts';
import { buildProps, readSettings } from './settings.ts';
import type { TokenBrokerProps } from './token-broker.ts';
import { TokenBrokerStack } from './token-broker-stack.ts';

/** CDK's region where nothing names one. */
const FALLBACK_REGION = 'us-east-1';

/**
 * Creates the stack of a broker by the app's settings: `context` of `cdk.json`, and the words of `token-broker deploy`
 * (`--stage`, `--allow-me`, `--context KEY=VALUE`). Throws for a setting that cannot be meant.
 */
export function createBrokerStack(app: App, connections: TokenBrokerProps['connections']): TokenBrokerStack {
  const settings = readSettings(app);
  const { terminationProtection, tags } = settings;
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const stack = new TokenBrokerStack(app, stackNameOf(settings.name), {
    description: 'Token broker: signed requests in, short-lived upstream tokens out',
    env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
    terminationProtection,
    tags,
    broker: (own) => ({ ...buildProps(own, settings), connections }),
  });
  if (region === FALLBACK_REGION && findRegion(process.env, readAwsConfiguration()) === undefined) {
    Annotations.of(stack).addWarningV2(
      'token-broker:region',
      `Nothing names a region, and CDK takes ${FALLBACK_REGION}: set AWS_REGION.`,
    );
  }
  return stack;
}
