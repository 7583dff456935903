import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Watched } from './alarms.ts';
import { brokerMetric } from './metrics.ts';

const period = Duration.minutes(5);
const WIDTH = 12;

/** Creates the dashboard: what is handed out, what it costs the upstreams, how long it takes, and what is refused. */
export function createDashboard(scope: Construct, { broker, api, refresh }: Watched): void {
  const { stage } = api;

  /** A series for each connection, however many there are: a graph that names them all outgrows the template. */
  function minted(metricName: string, label: string, statistic = 'Sum'): cloudwatch.IMetric {
    const of = { service: 'mint', label: `\${PROP('Dim.connection')}${label}` };
    return search(broker, 'service,connection', metricName, statistic, of);
  }

  const rows: readonly (readonly [string, readonly cloudwatch.IMetric[]])[][] = [
    [
      ['Hand-outs by source', ['cache', 'login', 'slide'].map((source) => handOutsFrom(broker, source))],
      ['Logins and slides', [minted('Logins', ' logins'), minted('Slides', ' slides')]],
    ],
    [
      [
        'Time to answer, ms',
        ['p50', 'p99'].map((statistic) => stage.metricLatency({ period, statistic, label: statistic })),
      ],
      [
        "Upstreams' time to answer, ms",
        [minted('UpstreamLatency', ' p50', 'p50'), minted('UpstreamLatency', ' p99', 'p99')],
      ],
    ],
    [
      ['Refused logins', [minted('RefusedLogins', '')]],
      ['Back-offs by reason', [search(broker, 'service,connection,code', 'BackOffs', 'Sum')]],
    ],
    [
      [
        'Seconds to expiry of what is handed out, least',
        [search(broker, 'service,connection,source', 'SecondsToExpiry', 'Minimum')],
      ],
      [
        // A sweep reads little more than what it may begin.
        'Due and not refreshed yet, at least; sweeps that failed',
        [brokerMetric(broker, 'refresh', 'RefreshBacklog', { statistic: 'Maximum' }), refresh.metricErrors({ period })],
      ],
    ],
    [
      [
        'Requests and errors',
        [stage.metricCount({ period }), stage.metricClientError({ period }), stage.metricServerError({ period })],
      ],
      // Query only due slots: counting all slots would cost a read of the whole table.
      [
        'Slots that were due, by the state they were found or left in',
        [search(broker, 'service,outcome', 'SlotsSwept', 'Sum')],
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

function handOutsFrom(broker: string, source: string): cloudwatch.IMetric {
  return new cloudwatch.MathExpression({
    label: source,
    expression: `SUM(SEARCH('{"${broker}",service,connection,source} MetricName="HandOuts" source="${source}"', 'Sum'))`,
    period,
  });
}

/** Every metric of this name and these dimensions, whatever their values are, or of one `service`. */
function search(
  broker: string,
  dimensions: string,
  metricName: string,
  statistic: string,
  { service, label = '' }: { readonly service?: string; readonly label?: string } = {},
): cloudwatch.IMetric {
  const only = service === undefined ? '' : ` service="${service}"`;
  return new cloudwatch.MathExpression({
    label,
    expression: `SEARCH('{"${broker}",${dimensions}} MetricName="${metricName}"${only}', '${statistic}')`,
    period,
  });
}
