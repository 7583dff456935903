import { NestedStack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { declared, deployed, nameOf, REGION, rotating, trustedWorkload } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';

const READ = 'secretsmanager:GetSecretValue';
const INVOKE = 'lambda:InvokeFunction';

const connections = { ...declared, books: rotating };
const { template, stack } = deployed({ connections, trust: [trustedWorkload] });
const policies = policiesOf(template);
const { arnOf, may, mayAdministrator, mayService } = policies;

const functions = Object.keys(template.findResources('AWS::Lambda::Function')).map(nameOf);
const secrets = ['Secrethelpdesk', 'Secretwfm', 'Secretbooks', 'KeptSecretbooks'];
const [apiId] = Object.keys(template.findResources('AWS::ApiGateway::RestApi'));
const ofApi = (api: string) => ({
  'aws:SourceArn': `arn:aws:execute-api:${REGION}:111122223333:${api}/v1/GET/connections`,
});

describe('a secret that the stack makes', () => {
  it.each(secrets)('%s is read by nobody but its mint, an administrator neither', (secret) => {
    const arn = arnOf(secret);
    const itsMint = `Mint${secret.replace(/^(?:Kept)?Secret/, '')}`;
    expect(functions.filter((role) => may(role, READ, arn))).toEqual([itsMint]);
    expect(mayAdministrator(READ, arn)).toBe(false);
  });

  it.each(secrets)('%s still takes a value, and can be managed', (secret) => {
    for (const action of ['PutSecretValue', 'DescribeSecret', 'UpdateSecretVersionStage', 'DeleteSecret']) {
      expect(mayAdministrator(`secretsmanager:${action}`, arnOf(secret)), action).toBe(true);
    }
    // Whoever closed it can open it again, so that nobody is locked out.
    expect(mayAdministrator('secretsmanager:DeleteResourcePolicy', arnOf(secret))).toBe(true);
    expect(mayAdministrator('secretsmanager:PutResourcePolicy', arnOf(secret))).toBe(true);
  });

  it('is there before the nested stack that closes it by its name', () => {
    const nested = Object.values(stack.node.findAll()).filter((each) => NestedStack.isNestedStack(each));
    const waitedFor = nested.flatMap(({ nestedStackResource }) => nestedStackResource?.obtainDependencies() ?? []);
    const ids = waitedFor.map(({ node }) => node.id.replace('-', ''));
    expect(ids).toEqual(expect.arrayContaining(secrets));
  });
});

it('a secret that the operator named keeps the policy that it has', () => {
  const named = deployed({ connections: { wfm: { ...declared.wfm, secret: 'team/wfm' } } });
  named.template.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0);
});

describe('a function', () => {
  it.each(functions)('%s is invoked by no administrator, by its name, a version or an alias', (name) => {
    const arn = arnOf(name);
    for (const each of [arn, `${arn}:1`, `${arn}:live`]) expect(mayAdministrator(INVOKE, each), each).toBe(false);
    expect(mayAdministrator('lambda:InvokeFunctionUrl', arn)).toBe(false);
    // It can be deployed.
    for (const action of ['UpdateFunctionCode', 'PutResourcePolicy', 'DeleteFunction']) {
      expect(mayAdministrator(`lambda:${action}`, arn), action).toBe(true);
    }
  });

  it.each(['Token', 'Connections', 'Exchange', 'Proxyhelpdesk', 'Proxybooks'])(
    '%s is invoked by this API alone',
    (name) => {
      const arn = arnOf(name);
      const byApi = (context: Record<string, string>) => mayService('apigateway.amazonaws.com', INVOKE, arn, context);
      expect(byApi(ofApi(String(apiId)))).toBe(true);
      expect(byApi(ofApi('another'))).toBe(false);
      expect(byApi({})).toBe(false);
      expect(mayService('events.amazonaws.com', INVOKE, arn, ofApi(String(apiId)))).toBe(false);
      for (const role of [...functions, 'Schedule']) expect(may(role, INVOKE, arn), role).toBe(false);
    },
  );

  it.each([
    ['Minthelpdesk', ['Token', 'Connections', 'Refresh', 'Proxyhelpdesk']],
    ['Mintwfm', ['Token', 'Connections', 'Refresh', 'Exchange']],
    ['Mintbooks', ['Token', 'Connections', 'Refresh', 'Proxybooks']],
  ])('%s is invoked by its callers’ roles alone: %j', (mint, callers) => {
    const arn = arnOf(mint);
    expect([...functions, 'Schedule'].filter((role) => may(role, INVOKE, arn)).sort()).toEqual([...callers].sort());
    expect(mayService('apigateway.amazonaws.com', INVOKE, arn, ofApi(String(apiId)))).toBe(false);
  });

  it('`refresh` is invoked by the schedule’s role, and `rotation` by its rule', () => {
    expect([...functions, 'Schedule'].filter((role) => may(role, INVOKE, arnOf('Refresh')))).toEqual(['Schedule']);
    const byRule = (rule: string, resource: string, action = INVOKE) =>
      mayService('events.amazonaws.com', action, resource, { 'aws:SourceArn': rule });
    expect(byRule(arnOf('RotationRule'), arnOf('Rotation'))).toBe(true);
    expect(byRule('arn:aws:events:eu-west-1:111122223333:rule/another', arnOf('Rotation'))).toBe(false);
    expect(functions.filter((role) => may(role, INVOKE, arnOf('Rotation')))).toEqual([]);
    expect(byRule(arnOf('RotationRule'), arnOf('DeadLetters'), 'sqs:SendMessage')).toBe(true);
    expect(byRule('arn:aws:events:eu-west-1:111122223333:rule/another', arnOf('DeadLetters'), 'sqs:SendMessage')).toBe(
      false,
    );
  });

  it('has no `AWS::Lambda::Permission`, which its policy would overwrite', () => {
    template.resourceCountIs('AWS::Lambda::Permission', 0);
    template.resourceCountIs('AWS::Lambda::ResourcePolicy', functions.length);
  });
});
