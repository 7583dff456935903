import { describe, expect, it } from 'vitest';
import { findRisks } from '../../cdk/deploy-risks.ts';
import { type DeployedOptions, deployed, nameOf, REGION, trustedWorkload } from './deployed.ts';
import { judge, type Statement } from './policy-simulator.ts';

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly UpdatePolicy?: Readonly<Record<string, Readonly<Record<string, { readonly Ref?: string }>>>>;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const rollout = 'Canary10Percent5Minutes';

function resourcesOf(options: DeployedOptions): Readonly<Record<string, Resource>> {
  return deployed({ trust: [trustedWorkload], ...options }).template.toJSON()['Resources'];
}

function ofType(resources: Readonly<Record<string, Resource>>, type: string) {
  return Object.entries(resources).filter(([, { Type }]) => Type === type);
}

const live = resourcesOf({ rollout });
const functions = new Map(ofType(live, 'AWS::Lambda::Function').map(([id]) => [nameOf(id), id]));
const behindApi = ['Connections', 'Exchange', 'Proxyhelpdesk', 'Token'];
const refTo = (id: string | undefined) => ({ Ref: id });

/** The parts of the rollout of a function. */
function rolloutOf(name: string) {
  const FunctionName = refTo(functions.get(name));
  const isOwn = ([, { Properties }]: [string, Resource]) =>
    JSON.stringify(Properties['FunctionName']) === JSON.stringify(FunctionName);
  const [version, ...versions] = ofType(live, 'AWS::Lambda::Version').filter(isOwn);
  const [alias, ...aliases] = ofType(live, 'AWS::Lambda::Alias').filter(isOwn);
  expect([versions, aliases]).toEqual([[], []]);
  if (version === undefined || alias === undefined) throw new Error(`${name} is not published.`);
  return { FunctionName, version, alias };
}

function policyOf(id: string): readonly Statement[] {
  const [found, ...more] = ofType(live, 'AWS::Lambda::ResourcePolicy').filter(
    ([, { Properties }]) => JSON.stringify(Properties['ResourceArn']) === JSON.stringify(refTo(id)),
  );
  expect(more).toEqual([]);
  const document = JSON.stringify(found?.[1].Properties['PolicyDocument'], (_, value) =>
    value?.Ref === id ? id : value?.['Fn::Join'] === undefined ? value : 'of-this-api',
  );
  return JSON.parse(document).Statement;
}

describe('without `rollout`', () => {
  it('there is no version, no alias and nothing of CodeDeploy', () => {
    const types = Object.values(resourcesOf({})).map(({ Type }) => Type);
    expect(types.filter((type) => /::(?:Version|Alias)$|CodeDeploy/.test(type))).toEqual([]);
  });
});

describe('with `rollout`', () => {
  it('the functions behind the API are published, and no other', () => {
    const published = [...functions].filter(([, id]) =>
      ofType(live, 'AWS::Lambda::Alias').some(
        ([, { Properties }]) => JSON.stringify(Properties['FunctionName']) === JSON.stringify(refTo(id)),
      ),
    );
    expect(published.map(([name]) => name).sort()).toEqual(behindApi);
  });

  it.each(behindApi)('`live` of %s is moved to its version by a deployment group that its alarms stop', (name) => {
    const { FunctionName, version, alias } = rolloutOf(name);
    const [versionId] = version;
    const [, { Properties, UpdatePolicy }] = alias;
    const number = { 'Fn::GetAtt': [versionId, 'Version'] };
    expect(Properties).toMatchObject({ Name: 'live', FunctionVersion: number });
    const group = String(UpdatePolicy?.['CodeDeployLambdaAliasUpdate']?.['DeploymentGroupName']?.Ref);
    expect(live[group]).toMatchObject({ Type: 'AWS::CodeDeploy::DeploymentGroup' });
    const how = live[group]?.Properties;
    expect(how).toMatchObject({
      ApplicationName: UpdatePolicy?.['CodeDeployLambdaAliasUpdate']?.['ApplicationName'],
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
      DeploymentStyle: { DeploymentType: 'BLUE_GREEN', DeploymentOption: 'WITH_TRAFFIC_CONTROL' },
      AutoRollbackConfiguration: { Enabled: true, Events: expect.arrayContaining(['DEPLOYMENT_STOP_ON_ALARM']) },
    });
    const alarms = ofType(live, 'AWS::CloudWatch::Alarm').filter(([id]) =>
      JSON.stringify(how?.['AlarmConfiguration']).includes(`{"Ref":"${id}"}`),
    );
    expect(how?.['AlarmConfiguration']).toEqual({ Enabled: true, Alarms: alarms.map(([id]) => ({ Name: refTo(id) })) });
    const atOnce = {
      Threshold: 1,
      EvaluationPeriods: 1,
      Period: 60,
      Statistic: 'Sum',
      TreatMissingData: 'notBreaching',
    };
    const Resource = { 'Fn::Join': ['', [FunctionName, ':live']] };
    const dimensions = (values: Readonly<Record<string, unknown>>) =>
      expect.arrayContaining(Object.entries(values).map(([Name, Value]) => ({ Name, Value })));
    expect(alarms.map(([, alarm]) => alarm.Properties)).toMatchObject([
      {
        ...atOnce,
        ...{ Namespace: 'AWS/Lambda', MetricName: 'Errors' },
        Dimensions: dimensions({ FunctionName, Resource, ExecutedVersion: number }),
      },
      {
        ...atOnce,
        ...{ Namespace: 'token-broker', MetricName: 'UnforeseenErrors' },
        Dimensions: dimensions({ function: FunctionName, version: number }),
      },
    ]);
  });

  it('the API invokes the aliases, and is deployed once it may', () => {
    const [[, api] = []] = ofType(live, 'AWS::ApiGateway::RestApi');
    const text = JSON.stringify(api?.Properties['Body']);
    for (const name of ['Token', 'Connections', 'Exchange']) {
      expect(text).toContain(JSON.stringify(refTo(rolloutOf(name).alias[0])));
    }
    expect(text).toContain('token-broker_proxy_helpdesk:live/invocations');
    for (const id of functions.values()) expect(text).not.toContain(`["${id}","Arn"]`);

    const [[, stage] = []] = ofType(live, 'AWS::ApiGateway::Stage');
    const own = ofType(live, 'AWS::Lambda::ResourcePolicy').filter(([id]) =>
      /(?:Token|Connections|Exchange)Live/.test(id),
    );
    expect(own).toHaveLength(3);
    expect(stage?.DependsOn).toEqual(expect.arrayContaining(own.map(([id]) => id)));
    expect(stage?.DependsOn?.some((id) => id.includes('Groups'))).toBe(true);
  });

  it.each(behindApi)('the alias of %s is invoked by the API alone', (name) => {
    const { alias } = rolloutOf(name);
    const action = 'lambda:InvokeFunction';
    const ofApi = { 'aws:PrincipalIsAWSService': 'true', 'aws:SourceArn': 'of-this-api' };
    const byAdministrator = {
      'aws:PrincipalIsAWSService': 'false',
      'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/Administrator',
    };
    const judged = ([id]: [string, Resource], context: Readonly<Record<string, string>>) =>
      judge(policyOf(id), { action, resource: id, context });
    expect(judged(alias, ofApi)).toBe('allowed');
    expect(judged(alias, byAdministrator)).toBe('denied');
    expect(judged(alias, { ...ofApi, 'aws:SourceArn': `arn:aws:execute-api:${REGION}:111122223333:other` })).not.toBe(
      'allowed',
    );
  });

  it('a function that changed has a new version, and another the same; to deploy it asks nothing', () => {
    const [before, again, after] = [{}, {}, { waitsPerConnection: 7 }].map((options) =>
      resourcesOf({ rollout, ...options }),
    );
    const idsOf = (resources = {}) => ofType(resources, 'AWS::Lambda::Version').map(([id]) => id);
    expect(idsOf(again)).toEqual(idsOf(before));
    // Those of `token` and `exchange`, which have the number, are new.
    expect(idsOf(after).filter((id) => idsOf(before).includes(id))).toHaveLength(2);
    expect(findRisks({ Resources: before ?? {} }, { Resources: after ?? {} })).toEqual([]);
  });
});
