import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Watched } from './alarms.ts';
import { brokerMetric } from './metrics.ts';

const period = Duration.minutes(5);
const WIDTH = 12;
/** Metrics of requests to upstreams, each with its name in a graph. */
const REQUESTS = [
  ['LoginLatency', 'logins'],
  ['SlideLatency', 'slides'],
  ['RefreshLatency', 'refreshes'],
] as const;

/** Creates the dashboard: what is handed out, what it costs the upstreams, how long it takes, and what is refused. */
export function createDashboard(scope: Construct, { broker, api, refresh }: Watched): void {
  const { stage } = api;

  /** A series for each connection, however many there are: a graph that names them all outgrows the template. */
  function ofEach(metricName: string, label: string, statistic: string): cloudwatch.IMetric {
    return search(broker, 'connection', metricName, statistic, `\${PROP('Dim.connection')}${label}`);
  }

  const rows: readonly (readonly [string, readonly cloudwatch.IMetric[]])[][] = [
    [
      ['Hand-outs', [ofEach('HandOuts', '', 'Sum')]],
      [
        'Logins, and renewals in place of them',
        REQUESTS.map(([metricName, what]) => ofEach(metricName, ` ${what}`, 'SampleCount')),
      ],
    ],
    [
      [
        'Time to answer, ms',
        ['p50', 'p99'].map((statistic) => stage.metricLatency({ period, statistic, label: statistic })),
      ],
      [
        "Upstreams' time to answer, ms",
        REQUESTS.flatMap(([metricName, what]) =>
          ['p50', 'p99'].map((statistic) => ofEach(metricName, ` ${what} ${statistic}`, statistic)),
        ),
      ],
    ],
    [
      ['Refused logins', [ofEach('RefusedLogins', '', 'Sum')]],
      ['Back-offs by reason', [search(broker, 'service,connection,code', 'BackOffs', 'Sum')]],
    ],
    [
      [
        // A sweep reads little more than what it may begin.
        'Sweeps, those that failed, and what they left due, at least',
        [
          refresh.metricInvocations({ period }),
          refresh.metricErrors({ period }),
          brokerMetric(broker, 'refresh', 'RefreshBacklog', { statistic: 'Maximum' }),
        ],
      ],
      // Query only due slots: counting all slots would cost a read of the whole table.
      [
        'Slots that were due, by the state they were found or left in',
        [search(broker, 'service,outcome', 'SlotsSwept', 'Sum')],
      ],
    ],
    [
      [
        'Requests and errors',
        [stage.metricCount({ period }), stage.metricClientError({ period }), stage.metricServerError({ period })],
      ],
    ],
  ];
  const dashboard = new cloudwatch.Dashboard(scope, 'Dashboard', { dashboardName: broker });
  for (const row of rows) {
    dashboard.addWidgets(
      ...row.map(([title, left]) => new cloudwatch.GraphWidget({ title, left: [...left], width: WIDTH })),
    );
  }
}

/** Every metric of this name and these dimensions, whatever their values are. */
function search(
  broker: string,
  dimensions: string,
  metricName: string,
  statistic: string,
  label = '',
): cloudwatch.IMetric {
  return new cloudwatch.MathExpression({
    label,
    expression: `SEARCH('{"${broker}",${dimensions}} MetricName="${metricName}"', '${statistic}')`,
    period,
  });
}
