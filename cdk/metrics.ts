import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';

/** The functions that publish metrics which are looked at here, by the name they give themselves. */
export type Service = 'mint' | 'refresh';

/** Requests that Lambda refused for lack of executions, by `resource` of the API: made from its access log. */
export const THROTTLED_METRIC = 'Throttled';

/** Errors that the code did not foresee, by `function` and `version`. */
export const UNFORESEEN_METRIC = 'UnforeseenErrors';

/**
 * A metric that the broker publishes itself. The namespace is the broker's name, and every metric has the dimension
 * `service` beside those given. Five minutes and sums where nothing else is said.
 */
export function brokerMetric(
  broker: string,
  service: Service,
  metricName: string,
  options: {
    readonly dimensions?: Readonly<Record<string, string>>;
    readonly statistic?: string;
    readonly minutes?: number;
  },
): Metric {
  return new Metric({
    namespace: broker,
    metricName,
    dimensionsMap: { service, ...options.dimensions },
    statistic: options.statistic ?? 'Sum',
    period: Duration.minutes(options.minutes ?? 5),
  });
}

/** A query of one of the broker's metrics. */
export interface QueryOptions {
  /** Exactly the dimensions that the metric is published with. Default `service` and `connection`. */
  readonly dimensions?: readonly string[];
  /** The dimensions whose values make a series each. Default `connection`. */
  readonly by?: readonly string[];
  /** Only of this `code`. */
  readonly code?: string;
}

/**
 * Queries five-minute sums of a metric of the broker's own, for all connections at once (CloudWatch Metrics Insights).
 * Every name is quoted: some are words of that language.
 */
export function queryMetric(
  broker: string,
  metricName: string,
  { dimensions = ['service', 'connection'], by = ['connection'], code }: QueryOptions = {},
): IMetric {
  const names = (each: readonly string[]) => each.map((name) => `"${name}"`).join(', ');
  const where = code === undefined ? '' : ` WHERE "code" = '${code}'`;
  return new MathExpression({
    expression: `SELECT SUM("${metricName}") FROM SCHEMA("${broker}", ${names(dimensions)})${where} GROUP BY ${names(by)}`,
    label: '',
    period: Duration.minutes(5),
  });
}
