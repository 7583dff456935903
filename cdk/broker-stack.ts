import type { App } from 'aws-cdk-lib';
import { stackNameOf } from './names.ts';
import { buildProps, readSettings } from './settings.ts';
import type { TokenBrokerProps } from './token-broker.ts';
import { TokenBrokerStack } from './token-broker-stack.ts';

/**
 * Creates the stack of a broker by the app's settings: `context` of `cdk.json`, and the words of `token-broker deploy`
 * (`--stage`, `--allow-me`, `--context KEY=VALUE`). Throws for a setting that cannot be meant.
 */
export function createBrokerStack(app: App, connections: TokenBrokerProps['connections']): TokenBrokerStack {
  const settings = readSettings(app);
  const { terminationProtection, tags } = settings;
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  return new TokenBrokerStack(app, stackNameOf(settings.name), {
    description: 'Token broker: signed requests in, short-lived upstream tokens out',
    env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
    terminationProtection,
    tags,
    broker: (stack) => ({ ...buildProps(stack, settings), connections }),
  });
}
