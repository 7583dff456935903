import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { loadConfigurationFile } from '../functions/configuration/load-file.ts';
import { stackNameOf } from './names.ts';
import { buildProps, readSettings } from './settings.ts';
import { TokenBrokerStack } from './token-broker-stack.ts';

/** Names another file that declares the connections than `cdk/connections.ts`. */
const CONNECTIONS_VARIABLE = 'TOKEN_BROKER_CONNECTIONS';

const app = new App();
const settings = readSettings(app);
const configuration = await loadConfigurationFile(
  process.env[CONNECTIONS_VARIABLE] ?? join(import.meta.dirname, 'connections.ts'),
);
for (const warning of configuration.warnings) process.stderr.write(`warning: ${warning}\n`);

const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
new TokenBrokerStack(app, stackNameOf(settings.name), {
  description: 'Token broker: signed requests in, short-lived upstream tokens out',
  env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
  broker: (stack) => ({ ...buildProps(stack, settings), configuration }),
});
