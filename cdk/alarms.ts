import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Connection } from '../functions/core/slot/connection.ts';
import type { IsolationGroup } from './isolation-groups.ts';
import { brokerMetric, type Service } from './metrics.ts';
import type { BrokerApi } from './rest-api.ts';

/** The parts of a broker that alarms and dashboard look at. */
export interface Watched {
  readonly broker: string;
  readonly connections: readonly Connection[];
  readonly token: IFunction;
  /** The exchange; present only where workloads outside AWS are trusted. */
  readonly exchange: IFunction | undefined;
  /** Names of the connections whose tokens those workloads may have. */
  readonly exchanged: ReadonlySet<string>;
  readonly refresh: IFunction;
  readonly groups: ReadonlyMap<string, IsolationGroup>;
  readonly deadLetters: IQueue;
  readonly api: BrokerApi;
}

/** An alarm is named for what an operator does about it; `docs/runbooks/<name>.md` says how. */
export type Runbook =
  | 'renew-the-credential'
  | 'consent-again'
  | 'check-the-upstream'
  | 'look-for-tampering'
  | 'clear-the-refresh-backlog'
  | 'restart-the-schedule'
  | 'read-the-dead-letters'
  | 'find-the-failing-requests'
  | 'raise-the-concurrency'
  | 'find-the-slow-requests';

const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD, GREATER_THAN_THRESHOLD, LESS_THAN_THRESHOLD } =
  cloudwatch.ComparisonOperator;

/** Creates the alarms; without a topic they notify nobody. */
export function createAlarms(scope: Construct, watched: Watched & { readonly topic: ITopic | undefined }): void {
  const { broker, connections, token, exchange, exchanged, refresh, groups, deadLetters, api, topic } = watched;

  /** Several alarms can share a page; `of` tells them apart. */
  function alarm(runbook: Runbook, of: string | undefined, why: string, props: AlarmProps): void {
    const name = of === undefined ? runbook : `${runbook}-${of}`;
    const created = new cloudwatch.Alarm(scope, `Alarm-${name}`, {
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...props,
      alarmName: `${broker}-${name}`,
      alarmDescription: `${why} Runbook: docs/runbooks/${runbook}.md`,
    });
    if (topic !== undefined) created.addAlarmAction(new SnsAction(topic));
  }

  for (const { name: connection, proxy, keptSecret } of connections) {
    const dimensions = { connection };
    alarm('renew-the-credential', connection, `The upstream of ${connection} refuses its credential.`, {
      metric: brokerMetric(broker, 'mint', 'CredentialRefused', { dimensions }),
    });
    if (keptSecret !== undefined) {
      alarm('consent-again', connection, `The upstream of ${connection} refuses its refresh token.`, {
        metric: brokerMetric(broker, 'mint', 'ReauthorizationRequired', { dimensions }),
      });
      alarm('consent-again', `${connection}-lost`, `A refresh token of ${connection} could not be kept.`, {
        metric: brokerMetric(broker, 'mint', 'RefreshTokenLost', { dimensions }),
      });
    }
    alarm('check-the-upstream', connection, `Attempts to get a token for ${connection} keep failing.`, {
      metric: brokerMetric(broker, 'mint', 'UpstreamFailures', { dimensions }),
      threshold: 2,
      evaluationPeriods: 2,
    });
    const openers: readonly Service[] = [
      'token',
      'mint',
      ...(proxy === undefined ? [] : (['proxy'] as const)),
      ...(exchanged.has(connection) ? (['exchange'] as const) : []),
    ];
    for (const service of openers) {
      alarm(
        'look-for-tampering',
        `${connection}-${service}`,
        `A stored token of ${connection} did not decrypt, or is older than one seen.`,
        {
          metric: brokerMetric(broker, service, 'CiphertextRejected', { dimensions }),
        },
      );
    }
  }
  alarm('clear-the-refresh-backlog', undefined, 'Tokens fall due faster than they are refreshed.', {
    metric: brokerMetric(broker, 'refresh', 'RefreshBacklog', { statistic: 'Minimum' }),
    evaluationPeriods: 3,
  });
  alarm('restart-the-schedule', undefined, 'The schedule has not run for ten minutes.', {
    metric: refresh.metricInvocations({ period: Duration.minutes(5), statistic: 'Sum' }),
    comparisonOperator: LESS_THAN_THRESHOLD,
    evaluationPeriods: 2,
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  });
  alarm('read-the-dead-letters', undefined, 'An invocation by the schedule, or by a secret event, was given up.', {
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
  });
  alarm('find-the-failing-requests', undefined, 'Requests keep being answered with server errors.', {
    metric: api.stage.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' }),
    threshold: 10,
    evaluationPeriods: 3,
  });
  alarm('find-the-slow-requests', undefined, 'One request in a hundred takes longer than five seconds.', {
    metric: api.stage.metricLatency({ period: Duration.minutes(5), statistic: 'p99' }),
    threshold: 5_000,
    comparisonOperator: GREATER_THAN_THRESHOLD,
    evaluationPeriods: 3,
  });
  for (const [kind, target] of Object.entries({ token, exchange })) {
    if (target === undefined) continue;
    alarm('raise-the-concurrency', kind, `Lambda refuses to run ${kind} so often.`, {
      metric: target.metricThrottles({ period: Duration.minutes(5), statistic: 'Sum' }),
    });
  }
  for (const [group, { mint, proxy }] of groups) {
    for (const [kind, target] of Object.entries({ mint, proxy })) {
      if (target === undefined) continue;
      alarm('raise-the-concurrency', `${kind}-${group}`, `Lambda refuses to run ${kind} for ${group} so often.`, {
        metric: target.metricThrottles({ period: Duration.minutes(5), statistic: 'Sum' }),
      });
    }
  }
}

type AlarmProps = Omit<Partial<cloudwatch.AlarmProps>, 'metric'> & Pick<cloudwatch.AlarmProps, 'metric'>;
