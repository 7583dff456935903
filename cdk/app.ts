import { App } from 'aws-cdk-lib';
import { buildFunctions } from './build-functions.ts';
import { stackNameOf } from './names.ts';
import { buildProps, loadDeclared, readSettings } from './settings.ts';
import { TokenBrokerStack } from './token-broker-stack.ts';

const app = new App();
const settings = readSettings(app);
const { terminationProtection, tags } = settings;
const connections = await loadDeclared();
await buildFunctions();

const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
new TokenBrokerStack(app, stackNameOf(settings.name), {
  description: 'Token broker: signed requests in, short-lived upstream tokens out',
  env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
  terminationProtection,
  tags,
  broker: (stack) => ({ ...buildProps(stack, settings), connections }),
});
