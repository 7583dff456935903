import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/**
 * Creates the rule that tells `rotation` of new secret versions. They come as CloudTrail records of management events:
 * in an account without a trail the rule never fires, and `mint` finds a new version by looking, within 10 seconds of a
 * request.
 */
export function createRotationRule(
  scope: Construct,
  { rotation, deadLetters }: { readonly rotation: IFunction; readonly deadLetters: IQueue },
): void {
  new events.Rule(scope, 'RotationRule', {
    description: 'A secret of Secrets Manager has a new version',
    eventPattern: {
      source: ['aws.secretsmanager'],
      detail: {
        eventSource: ['secretsmanager.amazonaws.com'],
        eventName: ['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage', 'RotationSucceeded'],
      },
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
