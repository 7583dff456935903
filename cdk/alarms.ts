import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Connection } from '../functions/core/slot/connection.ts';
import { brokerMetric, type QueryOptions, queryMetric, THROTTLED_METRIC } from './metrics.ts';
import type { BrokerApi } from './rest-api.ts';

/** The parts of a broker that alarms and dashboard look at. */
export interface Watched {
  readonly broker: string;
  readonly connections: readonly Connection[];
  readonly token: IFunction;
  /** The exchange; present only where workloads outside AWS are trusted. */
  readonly exchange: IFunction | undefined;
  readonly refresh: IFunction;
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
  | 'find-the-slow-requests'
  | 'mend-the-new-version'
  | 'find-what-stops-the-canary';

/** The first thing to do about an alarm, for whoever reads it on a telephone. The page has the rest. */
const firstSteps = {
  'renew-the-credential':
    'See `last_error.evidence` of GET /connections/NAME, get the valid credential from the upstream, and put it: token-broker secret set NAME.',
  'consent-again':
    'Have a person consent again at the upstream, and put the new refresh token into the own secret of the connection: token-broker secret set NAME.',
  'check-the-upstream':
    'Look at the code in `last_error` of GET /connections/NAME, ask whether the upstream is down, then check network, DNS and certificate. Delete no slots.',
  'look-for-tampering':
    'See who wrote to the table. After a restore, or a new key, this is expected once a slot; else treat it as an intrusion.',
  'clear-the-refresh-backlog':
    'See by the metric LoginLatency whether one upstream is slow, and by SlotsSwept what becomes of due slots. Callers log in for themselves meanwhile.',
  'restart-the-schedule': 'See whether the schedule is enabled and `refresh` is throttled or fails; its log says why.',
  'read-the-dead-letters': 'Receive the messages of the queue: each says which invocation was given up, and why.',
  'find-the-failing-requests':
    'Query the access log for status 5xx: it has route, caller and request id for the log of the function.',
  'raise-the-concurrency':
    'See whether one caller asks without end; else ask for a higher quota of concurrent executions, or raise the cap.',
  'find-the-slow-requests':
    "Compare the connections' LoginLatency and SlideLatency: a slow login makes its callers wait.",
  'find-what-stops-the-canary':
    'See the log of the function `canary`: it has the code and the request id. Then do what the code asks for.',
  'mend-the-new-version':
    "See its function's log since the deployment: it says where the error came from. Requests go to the version before.",
} satisfies Record<Runbook, string>;

const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD, GREATER_THAN_THRESHOLD, LESS_THAN_THRESHOLD } =
  cloudwatch.ComparisonOperator;
const period = Duration.minutes(5);

/** The broker that the alarms are of, and the topic that they notify. */
interface Owner {
  readonly broker: string;
  readonly topic: ITopic | undefined;
}

/** An alarm: at the first in one period unless its properties say otherwise, and quiet without data. */
interface AlarmOptions extends AlarmProps {
  readonly runbook: Runbook;
  /** Tells several alarms apart that share a page. */
  readonly of?: string | undefined;
  readonly why: string;
}

/** Creates an alarm that is named for its page, and says what to do first. */
export function createAlarm(
  scope: Construct,
  { broker, topic }: Owner,
  { runbook, of, why, ...props }: AlarmOptions,
): cloudwatch.Alarm {
  const name = of === undefined ? runbook : `${runbook}-${of}`;
  const created = new cloudwatch.Alarm(scope, `Alarm-${name}`, {
    evaluationPeriods: 1,
    threshold: 1,
    comparisonOperator: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    ...props,
    alarmName: `${broker}-${name}`,
    alarmDescription: `${why} First: ${firstSteps[runbook]} Runbook: docs/runbooks/${runbook}.md`,
  });
  if (topic !== undefined) created.addAlarmAction(new SnsAction(topic));
  return created;
}

/**
 * Creates the alarms; without a topic they notify nobody. Those about connections are one for all: each is a query of
 * which every connection is a series of its own, and the notification names those that are in alarm.
 */
export function createAlarms(scope: Construct, watched: Watched & Owner): void {
  const { broker, connections, token, exchange, refresh, deadLetters, api } = watched;

  const query = (metricName: string, options?: QueryOptions) => queryMetric(broker, metricName, options);

  function alarm(runbook: Runbook, of: string | undefined, why: string, props: AlarmProps): void {
    createAlarm(scope, watched, { runbook, of, why, ...props });
  }

  alarm('renew-the-credential', undefined, 'An upstream refuses the credential (upstream_credential_rejected).', {
    metric: query('CredentialRefused'),
  });
  if (connections.some(({ keptSecret }) => keptSecret !== undefined)) {
    alarm('consent-again', undefined, 'An upstream refuses the refresh token (reauthorization_required).', {
      metric: query('ReauthorizationRequired'),
    });
    alarm('consent-again', 'lost', 'The next refresh token could not be kept.', {
      metric: query('RefreshTokenLost'),
    });
  }
  alarm('check-the-upstream', undefined, 'Attempts to get a token keep failing (upstream_unavailable and others).', {
    metric: query('UpstreamFailures'),
    threshold: 2,
    evaluationPeriods: 2,
  });
  alarm('look-for-tampering', undefined, 'A stored token did not decrypt, or is older than one seen.', {
    metric: query('CiphertextRejected', { by: ['connection', 'service'] }),
  });
  alarm('clear-the-refresh-backlog', undefined, 'Tokens fall due faster than they are refreshed.', {
    metric: brokerMetric(broker, 'refresh', 'RefreshBacklog', { statistic: 'Minimum' }),
    evaluationPeriods: 3,
  });
  alarm('restart-the-schedule', undefined, 'The schedule has not run for ten minutes.', {
    metric: refresh.metricInvocations({ period, statistic: 'Sum' }),
    comparisonOperator: LESS_THAN_THRESHOLD,
    evaluationPeriods: 2,
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  });
  alarm('read-the-dead-letters', undefined, 'An invocation by the schedule, or by a secret event, was given up.', {
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
  });
  alarm('find-the-failing-requests', undefined, 'Requests keep being answered with server errors.', {
    metric: api.stage.metricServerError({ period, statistic: 'Sum' }),
    threshold: 10,
    evaluationPeriods: 3,
  });
  alarm('find-the-slow-requests', undefined, 'One request in a hundred takes longer than five seconds.', {
    metric: api.stage.metricLatency({ period, statistic: 'p99' }),
    threshold: 5_000,
    comparisonOperator: GREATER_THAN_THRESHOLD,
    evaluationPeriods: 3,
  });
  for (const [kind, target] of Object.entries({ token, exchange })) {
    if (target === undefined) continue;
    alarm('raise-the-concurrency', kind, `Lambda refuses to run ${kind} so often.`, {
      metric: target.metricThrottles({ period, statistic: 'Sum' }),
    });
  }
  // The functions of isolation groups are too many for an alarm each, and no query can choose them by name.
  alarm('raise-the-concurrency', 'mint', 'Lambda refuses to run the mint of a connection (mint_unavailable).', {
    metric: query('BackOffs', { dimensions: ['service', 'connection', 'code'], code: 'mint_unavailable' }),
  });
  if (connections.some(({ proxy }) => proxy !== undefined)) {
    alarm('raise-the-concurrency', 'proxy', 'Lambda refuses to run a function behind a route of the API.', {
      metric: query(THROTTLED_METRIC, { dimensions: ['resource'], by: ['resource'] }),
    });
  }
}

type AlarmProps = Omit<Partial<cloudwatch.AlarmProps>, 'metric'> & Pick<cloudwatch.AlarmProps, 'metric'>;
