import { App, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { buildFunctions } from '../../cdk/build-functions.ts';
import { loadDeclared } from '../../cdk/settings.ts';
import { TokenBrokerStack } from '../../cdk/token-broker-stack.ts';
import { GRANTED_BROKER, type GrantedRole, PATH } from './granted-roles.ts';

/** An app as a team writes it: a broker of its own, and roles that it grants something. */
const app = new App();
const connections = await loadDeclared();
await buildFunctions();

const { CDK_DEFAULT_ACCOUNT: account = '', CDK_DEFAULT_REGION: region = '' } = process.env;
const stack = new TokenBrokerStack(app, `TokenBroker-${GRANTED_BROKER}`, {
  env: { account, region },
  broker: () => ({ name: GRANTED_BROKER, connections, callers: [`arn:aws:iam::${account}:role${PATH}named-*`] }),
});

function role(name: GrantedRole): iam.Role {
  const assumedBy = new iam.AccountRootPrincipal().withSessionTags();
  return new iam.Role(stack, `Role-${name}`, { roleName: name, path: PATH, assumedBy });
}

/** May call every API of the account, by its own policies. */
function broad(name: GrantedRole): void {
  role(name).addToPolicy(new iam.PolicyStatement({ actions: ['execute-api:*'], resources: ['*'] }));
}

const { broker } = stack;
broker.grantToken(role('system'), 'helpdesk');
broker.grantToken(role('one'), 'helpdesk', { subjects: ['88'] });
broker.grantToken(role('all'), 'helpdesk', { subjects: 'all' });
broker.grantToken(role('tagged'), 'helpdesk', { subjects: { principalTag: 'staff-pkid' } });
broker.grantToken(role('quiet'), 'helpdesk', { reports: false });
broker.grantProxy(role('proxying'), 'helpdesk', { subjects: ['88'] });
broker.grantOperate(role('operating'), 'helpdesk');
broker.grantOperate(role('operating-all'));
role('none');
broad('broad');
broad('named-broad');
role('named-none');

Tags.of(app).add('made-by', 'the deploy test');
