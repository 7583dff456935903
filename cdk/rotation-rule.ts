import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/**
 * Creates the rule that tells `rotation` of new current versions of secrets. Secrets Manager sends these events itself,
 * in every account, for every secret of it; `mint` also finds a new version by looking, within 10 seconds of a request.
 */
export function createRotationRule(
  scope: Construct,
  { rotation, deadLetters }: { readonly rotation: IFunction; readonly deadLetters: IQueue },
): void {
  new events.Rule(scope, 'RotationRule', {
    description: 'A secret of Secrets Manager has a new current version',
    eventPattern: {
      source: ['aws.secretsmanager'],
      detailType: ['Secret Label Updated'],
      detail: { labelUpdated: ['AWSCURRENT'] },
    },
    targets: [
      new LambdaFunction(rotation, {
        retryAttempts: 2,
        maxEventAge: Duration.minutes(10),
        deadLetterQueue: deadLetters,
      }),
    ],
  });
}
