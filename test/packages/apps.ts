/** The apps that are written beside the stock ones of `cdk init`. Each deploys a broker, and grants from another. */

const HEAD = `const connections = defineConnections({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.acme-corp.net/api', proxy: { methods: ['GET'], paths: ['/jobs'] } },
    crm: { provider: 'crm', baseUrl: 'https://crm.acme-corp.net', region: 'eu' },
  },
  providers: {
    crm: {
      secretFields: { apiKey: {} },
      settings: { region: { kind: 'enum', values: ['eu', 'us'] } },
      logins: {
        system: [{ url: '/login/{region}', json: { key: '{apiKey}' }, reads: { token: { in: 'body', path: ['token'] } } }],
      },
      placement: { headers: { Authorization: 'Bearer {token}' } },
      lifetime: [{ seconds: 600 }],
    },
  },
});
`;

const BODY = `
    const job = new iam.Role(this, 'Job', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const broker = new TokenBroker(this, 'Broker', { connections, name: 'mine' });
    broker.grantToken(job, 'helpdesk');
    broker.grantProxy(job, 'helpdesk', { subjects: ['88'] });
    broker.grantToken(job, 'crm');
    const elsewhere = TokenBroker.fromAttributes(this, 'Elsewhere', { apiId: 'a1b2c3d4e5', connections: { wfm: {} } });
    elsewhere.grantToken(job, 'wfm');
    new CfnOutput(this, 'Url', { value: broker.url });
    new CfnOutput(this, 'ElsewhereUrl', { value: elsewhere.url });
`;

const ENV = `{ env: { account: '111122223333', region: 'eu-west-1' } }`;

/** The stack of the stock TypeScript app. */
export function stackInTypeScript(name: string): string {
  return `import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib/core';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TokenBroker, defineConnections } from '@token-broker/broker';

${HEAD}
export class ${name} extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, { ...props, ...${ENV} });
${BODY}  }
}
`;
}

/** The stack of the stock JavaScript app. */
export function stackInJavaScript(name: string): string {
  return `const { CfnOutput, Stack } = require('aws-cdk-lib/core');
const iam = require('aws-cdk-lib/aws-iam');
const { TokenBroker, defineConnections } = require('@token-broker/broker');

${HEAD}
class ${name} extends Stack {
  constructor(scope, id, props) {
    super(scope, id, { ...props, ...${ENV} });
${BODY}  }
}
module.exports = { ${name} };
`;
}

/** A whole app as one ES module. */
export function appInOneModule(): string {
  return `${stackInTypeScript('EsmStack')}
import { App } from 'aws-cdk-lib';
new EsmStack(new App(), 'Mine');
`;
}

/** A test as the stock app has one, run by its jest. */
export function jestTest(name: string, file: string): string {
  return `import * as cdk from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import { ${name} } from '../lib/${file}';

test('the broker is in the template', () => {
  const template = Template.fromStack(new ${name}(new cdk.App(), 'Tested'));
  template.resourceCountIs('AWS::ApiGateway::RestApi', 1);
});
`;
}

/** Right and wrong uses, for the type checker alone. */
export const USES = `import { TokenBroker, type TokenBrokerProps, defineConnections, type ITokenBroker } from '@token-broker/broker';
import { createTokenBrokerClient, type HandOut } from '@token-broker/client';
import type { Stack } from 'aws-cdk-lib';

export function use(stack: Stack, props: TokenBrokerProps): ITokenBroker {
  const broker = new TokenBroker(stack, 'Broker', props);
  // @ts-expect-error: a connection is needed to grant.
  broker.grantToken(stack);
  // @ts-expect-error: a broker has connections.
  new TokenBroker(stack, 'Other', {});
  return broker;
}
export async function call(): Promise<HandOut> {
  const client = createTokenBrokerClient();
  // @ts-expect-error: the option is \`subject\`.
  await client.token('wfm', { user: '88' });
  return client.token('wfm');
}
defineConnections({ connections: { a: { provider: 'oauth-client-credentials', baseUrl: 'https://a.acme-corp.net' } } });
// @ts-expect-error: there is no such provider.
defineConnections({ connections: { a: { provider: 'nowhere', baseUrl: 'https://a.acme-corp.net' } } });
// @ts-expect-error: a connection has an address.
defineConnections({ connections: { a: { provider: 'helpmaster' } } });
`;
