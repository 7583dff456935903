import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const RETRIES = 2;
const EVENT_AGE = Duration.minutes(10);

/**
 * Creates the rule that tells `rotation` of new current versions of secrets. Secrets Manager sends these events itself,
 * in every account, for every secret of it; `mint` also finds a new version by looking, within 10 seconds of a request.
 * Gives the rule's ARN: the function's own policy must let it in.
 */
export function createRotationRule(
  scope: Construct,
  { rotation, deadLetters }: { readonly rotation: IFunction; readonly deadLetters: IQueue },
): string {
  const rule = new events.Rule(scope, 'RotationRule', {
    description: 'A secret of Secrets Manager has a new current version',
    eventPattern: {
      source: ['aws.secretsmanager'],
      detailType: ['Secret Label Updated'],
      detail: { labelUpdated: ['AWSCURRENT'] },
    },
  });
  // The construct library's own target adds an `AWS::Lambda::Permission`, which the function's policy would overwrite.
  rule.addTarget({
    bind: () => ({
      arn: rotation.functionArn,
      deadLetterConfig: { arn: deadLetters.queueArn },
      retryPolicy: { maximumRetryAttempts: RETRIES, maximumEventAgeInSeconds: EVENT_AGE.toSeconds() },
    }),
  });
  deadLetters.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [deadLetters.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
    }),
  );
  return rule.ruleArn;
}
