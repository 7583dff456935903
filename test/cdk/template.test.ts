import { readFileSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { TokenBroker } from '../../cdk/token-broker.ts';
import { type DeployedOptions, declared, deployed, nameOf, newApp, rotating, trustedWorkload } from './deployed.ts';
import { templatesOf } from './whole-template.ts';

/** Stateful resources by logical id. A changed id replaces the resource and loses its data. */
const stateful = {
  'AWS::DynamoDB::GlobalTable': ['BrokerAudit69FB8BD3', 'BrokerSlotsBA0E9E95'],
  'AWS::KMS::Key': ['BrokerKey91C64100'],
  'AWS::SecretsManager::Secret': [
    'BrokerKeptSecretbooks6079DD27',
    'BrokerSecretbooksE44AE6E7',
    'BrokerSecrethelpdesk174AAF6C',
    'BrokerSecretwfm4BE139B5',
  ],
  'AWS::ApiGateway::RestApi': ['BrokerRestApi1C5AB6E6'],
};

function tokenFunction(template: Template) {
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const [, token] = functions.find(([id]) => id.startsWith('BrokerToken')) ?? [];
  if (token === undefined) throw new Error('there is no function `token`');
  return token['Properties'];
}

describe('the template', () => {
  it('has the same logical ids for all that holds state, in the stack itself and in no nested one', () => {
    const { app, stack } = deployed({ strictAudit: true, connections: { ...declared, books: rotating } });
    const [own, ...nested] = [...templatesOf(app, stack).values()].map(({ Resources }) => Object.entries(Resources));
    for (const [type, ids] of Object.entries(stateful)) {
      const idsIn = (resources: typeof own = []) => resources.flatMap(([id, { Type }]) => (Type === type ? [id] : []));
      expect(idsIn(own).sort(), type).toEqual(ids);
      expect(nested.flatMap(idsIn), type).toEqual([]);
    }
  });

  it('makes an empty secret where a connection names none: without a value, and kept when the stack goes', () => {
    const { template } = deployed({
      connections: { ...declared, wfm: { ...declared.wfm, secret: 'team/wfm' } },
    });
    const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
    expect(secrets).toMatchObject([
      { DeletionPolicy: 'RetainExceptOnCreate', Properties: { Name: 'token-broker/helpdesk' } },
    ]);
    expect(Object.keys(secrets[0]?.['Properties'] ?? {}).sort()).toEqual(['Description', 'Name']);
  });

  it('names the secrets of another broker after it, and slots after those', () => {
    const { template, broker } = deployed({ name: 'second' });
    template.hasResourceProperties('AWS::SecretsManager::Secret', { Name: 'second/helpdesk' });
    const [first, second] = [deployed().broker, broker].map(
      ({ configuration }) => configuration.connections['helpdesk'],
    );
    expect(second?.secret).toBe('second/helpdesk');
    expect(second?.fingerprint).not.toBe(first?.fingerprint);
  });

  it('refuses a secret ARN without the six characters that end it', () => {
    const secret = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:wfm';
    expect(() => deployed({ connections: { wfm: { ...declared.wfm, secret } } })).toThrow('not complete');
  });

  it('runs every function on arm64 and Node 24, with the times of invariant 14', () => {
    const { template } = deployed({ trust: [trustedWorkload] });
    const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
    const seconds = Object.fromEntries(functions.map(([id, { Properties }]) => [nameOf(id), Properties['Timeout']]));
    expect(seconds).toEqual({
      ...{ Token: 27, Connections: 27, Exchange: 27, Proxyhelpdesk: 27 },
      ...{ Minthelpdesk: 20, Mintwfm: 20, Refresh: 55, Rotation: 55 },
    });
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    }
  });

  it('traces with X-Ray only where that is asked for', () => {
    const modesOf = (options?: Parameters<typeof deployed>[0]) =>
      Object.values(deployed(options).template.findResources('AWS::Lambda::Function')).map(
        ({ Properties }) => Properties['TracingConfig']?.Mode,
      );
    expect(new Set(modesOf())).toEqual(new Set([undefined]));
    expect(new Set(modesOf({ tracing: true }))).toEqual(new Set(['Active']));
  });

  it('never repeats an invocation of mint that nobody waits for, nor starts one late', () => {
    const { template } = deployed();
    const configs = Object.entries(template.findResources('AWS::Lambda::EventInvokeConfig'));
    const ofMint = configs.filter(([id]) => id.includes('Mint'));
    expect(ofMint).toHaveLength(2);
    for (const [, { Properties }] of ofMint) {
      expect(Properties).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    }
  });

  it('encrypts the table with a key of its own that rotates, and can restore it to a point in time', () => {
    const { template } = deployed();
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [{ IndexName: 'due', Projection: { ProjectionType: 'KEYS_ONLY' } }],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
    });
  });

  it('makes the table ready for more requests at once where that is asked for', () => {
    const warmthOf = (options?: DeployedOptions) =>
      Object.values(deployed(options).template.findResources('AWS::DynamoDB::GlobalTable'))[0]?.['Properties']
        .WarmThroughput;
    expect(warmthOf()).toBeUndefined();
    const warmThroughput = { readUnitsPerSecond: 20_000, writeUnitsPerSecond: 8_000 };
    expect(warmthOf({ warmThroughput })).toEqual({ ReadUnitsPerSecond: 20_000, WriteUnitsPerSecond: 8_000 });
  });

  it('makes the audit table only where the audit is strict, and keeps it when the stack goes', () => {
    deployed().template.resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
    const { template } = deployed({ strictAudit: true });
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] },
    });
    expect(tokenFunction(template)['Environment'].Variables).toHaveProperty('TOKEN_BROKER_AUDIT_TABLE');
  });

  it('runs the schedule each minute, with retries and a dead-letter queue', () => {
    deployed().template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 2 }, DeadLetterConfig: Match.anyValue() },
    });
  });

  it('listens for new current versions of secrets', () => {
    deployed().template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['Secret Label Updated'],
        detail: { labelUpdated: ['AWSCURRENT'] },
      },
    });
  });

  it('keeps executions for `token` only where that is asked for', () => {
    const kept = (options?: Parameters<typeof deployed>[0]) =>
      tokenFunction(deployed(options).template)['ReservedConcurrentExecutions'];
    expect(kept()).toBeUndefined();
    expect(kept({ tokenConcurrency: 100 })).toBe(100);
  });

  it.each([
    [{}, '100'],
    [{ tokenConcurrency: 50 }, '5'],
    [{ tokenConcurrency: 9 }, '1'],
    [{ tokenConcurrency: 50, waitsPerConnection: 1 }, '1'],
  ] as const)('lets a tenth of the executions of `token` wait for a connection: %j', (options, waits) => {
    const { Environment } = tokenFunction(deployed(options).template);
    expect(Environment.Variables['TOKEN_BROKER_WAITS']).toBe(waits);
  });

  it('keeps executions for each `mint` and `proxy` where they are asked for', () => {
    const { template } = deployed({ mintConcurrency: 7, proxyConcurrency: 8 });
    const kept = Object.entries(template.findResources('AWS::Lambda::Function')).map(
      ([id, { Properties }]) => [nameOf(id).slice(0, 4), Properties['ReservedConcurrentExecutions']] as const,
    );
    for (const [name, count] of kept) expect(count).toBe({ Mint: 7, Prox: 8 }[name]);
  });

  it('gives connections of one isolation group one mint, and shortens the names that Lambda would not take', () => {
    const long = 'a'.repeat(63);
    const { template } = deployed({
      connections: {
        helpdesk: { ...declared.helpdesk, isolation: 'shared' },
        wfm: { ...declared.wfm, isolation: 'shared' },
        [long]: { ...declared.wfm },
      },
    });
    const names = Object.values(template.findResources('AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties['FunctionName'] ?? [],
    );
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining(['token-broker_mint_shared', 'token-broker_proxy_shared']));
    for (const name of names) expect(String(name)).toMatch(/^[a-z0-9_-]{1,64}$/);
  });

  it('puts mint and proxy of a connection into its VPC, with its security groups', () => {
    const vpcId = 'vpc-0123abcd';
    const app = newApp();
    const elsewhere = new Stack(app, 'Network', { env: { account: '111122223333', region: 'eu-west-1' } });
    const vpc = Vpc.fromVpcAttributes(elsewhere, 'Vpc', {
      vpcId,
      availabilityZones: ['eu-west-1a'],
      privateSubnetIds: ['subnet-1'],
    });
    const { template } = deployed({
      connections: {
        helpdesk: { ...declared.helpdesk, vpc: vpcId, securityGroups: ['sg-0123abcd'] },
        wfm: declared.wfm,
      },
      vpcs: { [vpcId]: vpc },
    });
    const inVpc = Object.entries(template.findResources('AWS::Lambda::Function')).filter(
      ([, { Properties }]) => Properties['VpcConfig'] !== undefined,
    );
    expect(inVpc.map(([id]) => nameOf(id)).sort()).toEqual(['Minthelpdesk', 'Proxyhelpdesk']);
    for (const [, { Properties }] of inVpc) {
      expect(Properties['VpcConfig']).toEqual({ SecurityGroupIds: ['sg-0123abcd'], SubnetIds: ['subnet-1'] });
    }
  });

  it('takes a domain and an alarm topic', () => {
    const app = newApp();
    const elsewhere = new Stack(app, 'Elsewhere');
    const arn = 'arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555';
    const { template, broker } = deployed({
      domain: { domainName: 'tokens.example.com', certificate: Certificate.fromCertificateArn(elsewhere, 'C', arn) },
      alarmTopic: Topic.fromTopicArn(elsewhere, 'T', 'arn:aws:sns:eu-west-1:111122223333:alarms'),
    });
    expect(broker.url).toBe('https://tokens.example.com');
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { DisableExecuteApiEndpoint: true });
    template.hasResourceProperties('AWS::ApiGateway::DomainName', { SecurityPolicy: 'TLS_1_2' });
    template.hasResourceProperties('AWS::ApiGateway::BasePathMapping', {
      BasePath: Match.absent(),
      Stage: Match.anyValue(),
    });
    for (const { Properties } of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      expect(Properties['AlarmActions']).toEqual(['arn:aws:sns:eu-west-1:111122223333:alarms']);
    }
  });

  it('holds nothing that could be a credential or a token', () => {
    const text = JSON.stringify(deployed({ strictAudit: true }).template.toJSON());
    // The kind of a security scheme, as OpenAPI calls a header.
    expect(text.replace('"type":"apiKey"', '')).not.toMatch(
      /GenerateSecretString|SecretString"|apiKey|password|eyJ[A-Za-z0-9_-]{10}/i,
    );
  });
});

it('warns at synth of what is unsafe, and of an example’s address', () => {
  const helpdesk = { ...declared.helpdesk, baseUrl: 'http://10.1.2.3/api', allowPlainHttp: true };
  const { stack } = deployed({ connections: { ...declared, helpdesk } });
  const texts = Annotations.fromStack(stack)
    .findWarning('/TokenBroker/Broker', Match.anyValue())
    .map(({ entry }) => String(entry.data));
  expect(texts).toEqual([
    expect.stringContaining('connections.helpdesk'),
    expect.stringContaining("https://wfm.example.com/api is an example's address"),
  ]);
});

it('is the same broker in an app without feature flags, with or without an account', () => {
  for (const env of [{ region: 'eu-west-1' }, { account: '111122223333', region: 'eu-west-1' }]) {
    const stack = new Stack(newApp({}), 'Plain', { env });
    new TokenBroker(stack, 'Broker', { connections: { connections: declared } });
    Template.fromStack(stack).resourceCountIs('AWS::ApiGateway::RestApi', 1);
  }
});

describe('a broker that could not be deployed', () => {
  it('in another region than the home of a connection names both, and deploys it at home', () => {
    const inRegion = (homeRegion: string) => () =>
      deployed({ connections: { ...declared, wfm: { ...declared.wfm, homeRegion } } });

    expect(inRegion('us-east-1')).toThrow(
      'in eu-west-1, and these connections have their home elsewhere: wfm (us-east-1)',
    );
    expect(inRegion('eu-west-1')).not.toThrow();
  });

  it('with a secret of another region or partition says where it is (C3)', () => {
    const withSecret = (place: string) => () =>
      deployed({ connections: { wfm: { ...declared.wfm, secret: `arn:${place}:111122223333:secret:wfm-AbC123` } } });

    expect(withSecret('aws:secretsmanager:us-east-1')).toThrow('in eu-west-1 (arn:aws), and the secrets of these');
    expect(withSecret('aws:secretsmanager:us-east-1')).toThrow('wfm (us-east-1)');
    expect(withSecret('aws-cn:secretsmanager:eu-west-1')).toThrow('wfm (arn:aws-cn)');
    expect(withSecret('aws:secretsmanager:eu-west-1')).not.toThrow();
  });

  it('without a region says which property gives it', () => {
    const stack = new Stack(newApp(), 'NoRegion');
    expect(() => new TokenBroker(stack, 'Broker', { connections: { connections: declared } })).toThrow(
      "env: { region: 'eu-west-1' }",
    );
  });

  it('with a name that nothing can be named after is refused', () => {
    for (const name of ['', 'Broker', '1st', 'a'.repeat(31), 'with_underscore']) {
      expect(() => deployed({ name }), name).toThrow('name of a token broker');
    }
  });
});

it('the services of the stack are those that docs/deploying.md has CloudFormation allowed', () => {
  const resources: Record<string, { readonly Type: string }> = deployed({
    strictAudit: true,
    webAclArn: 'arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/1',
    rollout: 'Canary10Percent5Minutes',
  }).template.toJSON()['Resources'];
  const services = new Set(Object.values(resources).map(({ Type: type }) => type.split('::')[1]?.toLowerCase() ?? ''));
  const [, paragraph = ''] = /Such a policy covers (.*?)\n\n/s.exec(readFileSync('docs/deploying.md', 'utf8')) ?? [];
  const named = [...paragraph.matchAll(/`([a-z0-9]+)`/g)].map(([, name = '']) => name);
  // Settings, and what is only read, with `vpc` alone.
  expect(named.filter((name) => !['ec2', 'vpc', 'rollout'].includes(name)).toSorted()).toEqual(
    [...services].toSorted(),
  );
});
