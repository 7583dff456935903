import { Duration, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IDestination, IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { invokeStatements } from './permissions.ts';

const KEPT_DAYS = 14;
/** A sweep that comes later than the next one is of no use. */
const EVENT_AGE_SECONDS = 60;
const RETRIES = 2;

/** Creates the queue of invocations that could not be delivered: of the schedule, and of the rotation rule. */
export function createDeadLetterQueue(scope: Construct): sqs.Queue {
  const queue = new sqs.Queue(scope, 'DeadLetters', {
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(KEPT_DAYS),
  });
  const reason = 'It is the dead-letter queue: what it holds is read by an operator, and an alarm says so.';
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason }, { id: 'Serverless-SQSRedrivePolicy', reason });
  return queue;
}

/**
 * The queue as the destination of what a function could not take. The function's role may send there; the construct
 * library's own destination would let it read the queue's attributes, too.
 */
export function toDeadLetters(queue: sqs.IQueue): IDestination {
  return {
    bind(_scope, target) {
      target.addToRolePolicy(sendStatement(queue));
      return { destination: queue.queueArn };
    },
  };
}

function sendStatement(queue: sqs.IQueue): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] });
}

/**
 * Creates a schedule that runs a function each so many minutes, in a group of its own. Its role can be taken by schedules of
 * that group alone, and can invoke that function and write to that queue alone. Without a queue a run that cannot be
 * delivered is not tried again. Gives the role's ARN.
 */
export function createSchedule(
  scope: Construct,
  {
    id,
    target,
    description,
    minutes,
    deadLetters,
  }: {
    readonly id: string;
    readonly target: IFunction;
    readonly description: string;
    readonly minutes: number;
    readonly deadLetters?: sqs.IQueue;
  },
): string {
  const group = new CfnScheduleGroup(scope, `${id}Group`);
  const role = new iam.Role(scope, `${id}Role`, {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
        ArnEquals: { 'aws:SourceArn': group.attrArn },
      },
    }),
  });
  for (const statement of invokeStatements([target.functionArn])) role.addToPolicy(statement);
  if (deadLetters !== undefined) role.addToPolicy(sendStatement(deadLetters));
  const schedule = new CfnSchedule(scope, id, {
    description,
    groupName: group.ref,
    scheduleExpression: `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`,
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: target.functionArn,
      roleArn: role.roleArn,
      retryPolicy: {
        maximumRetryAttempts: deadLetters === undefined ? 0 : RETRIES,
        maximumEventAgeInSeconds: EVENT_AGE_SECONDS,
      },
      ...(deadLetters === undefined ? {} : { deadLetterConfig: { arn: deadLetters.queueArn } }),
    },
  });
  // Scheduler looks at once whether the role may invoke its target.
  schedule.node.addDependency(role);
  return role.roleArn;
}
