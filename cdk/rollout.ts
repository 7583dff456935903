import { Duration, Validations } from 'aws-cdk-lib';
import { Metric, type MetricProps } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnApplication, CfnDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Alias, CfnAlias, type IVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { createAlarm } from './alarms.ts';
import { UNFORESEEN_METRIC } from './metrics.ts';

/** Way to move requests to a new version of a function, as CodeDeploy names it. */
export type Rollout =
  | `Canary10Percent${5 | 10 | 15 | 30}Minutes`
  | 'Linear10PercentEvery1Minute'
  | `Linear10PercentEvery${2 | 3 | 10}Minutes`;

/** All of them. */
export const ROLLOUTS: readonly Rollout[] = [
  'Canary10Percent5Minutes',
  'Canary10Percent10Minutes',
  'Canary10Percent15Minutes',
  'Canary10Percent30Minutes',
  'Linear10PercentEvery1Minute',
  'Linear10PercentEvery2Minutes',
  'Linear10PercentEvery3Minutes',
  'Linear10PercentEvery10Minutes',
];

/** The alias that the API invokes. */
export const LIVE = 'live';

const period = Duration.minutes(1);
const POLICY = 'service-role/AWSCodeDeployRoleForLambdaLimited';

/**
 * Creates what publishes functions: a version with each change, and an alias that CodeDeploy moves to it little by little.
 * An error of the new version moves it back, and fails the deployment, which CloudFormation then takes back as a whole.
 */
export function createRollouts(
  scope: Construct,
  { how, ...alarms }: { readonly broker: string; readonly how: Rollout; readonly topic: ITopic | undefined },
): (target: LambdaFunction) => Alias {
  const application = new CfnApplication(scope, 'Rollouts', { computePlatform: 'Lambda' });
  const role = new iam.Role(scope, 'RolloutRole', {
    assumedBy: new iam.ServicePrincipal('codedeploy.amazonaws.com'),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName(POLICY)],
  });
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${POLICY}]`,
    reason: 'The policy that CodeDeploy asks for to move aliases and to look at alarms.',
  });

  return (target) => {
    const { functionName, node, currentVersion: version } = target;
    const { scope: own, id } = node;
    if (own === undefined) throw new Error('A function is made inside a stack.');
    // CDK's interfaces are not written for `exactOptionalPropertyTypes`.
    const alias = new Alias(own, `${id}-Live`, { aliasName: LIVE, version: version as IVersion });
    // Of the new version alone: where the current one fails, the one that mends it must still get in.
    const watch = (
      what: string,
      why: string,
      metric: Pick<MetricProps, 'namespace' | 'metricName' | 'dimensionsMap'>,
    ) =>
      createAlarm(own, alarms, {
        runbook: 'mend-the-new-version',
        of: `${id.toLowerCase()}-${what}`,
        why,
        metric: new Metric({ ...metric, statistic: 'Sum', period }),
      });
    const watching = [
      watch('fails', 'The new version of a function throws or runs out of time, and is rolled back.', {
        namespace: 'AWS/Lambda',
        metricName: 'Errors',
        // Lambda counts by the version only while an alias leads to two.
        dimensionsMap: {
          FunctionName: functionName,
          Resource: `${functionName}:${LIVE}`,
          ExecutedVersion: version.version,
        },
      }),
      watch(
        'answers-internal',
        'A function answers internal. While requests move to this version, it is rolled back.',
        {
          namespace: alarms.broker,
          metricName: UNFORESEEN_METRIC,
          dimensionsMap: { function: functionName, version: version.version },
        },
      ),
    ];
    const group = new CfnDeploymentGroup(own, `${id}-Rollout`, {
      applicationName: application.ref,
      serviceRoleArn: role.roleArn,
      deploymentConfigName: `CodeDeployDefault.Lambda${how}`,
      deploymentStyle: { deploymentType: 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
      alarmConfiguration: { enabled: true, alarms: watching.map(({ alarmName }) => ({ name: alarmName })) },
      autoRollbackConfiguration: {
        enabled: true,
        events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM', 'DEPLOYMENT_STOP_ON_REQUEST'],
      },
    });
    const { defaultChild } = alias.node;
    if (!(defaultChild instanceof CfnAlias)) throw new Error('An alias is made of one resource.');
    defaultChild.cfnOptions.updatePolicy = {
      codeDeployLambdaAliasUpdate: { applicationName: application.ref, deploymentGroupName: group.ref },
    };
    return alias;
  };
}
