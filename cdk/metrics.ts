import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Configuration } from '../functions/configuration/configuration.ts';

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

/** A metric of one connection, which all functions publish together. Throws for a connection that the broker has not. */
export function connectionMetric(
  { name: namespace, configuration }: { readonly name: string; readonly configuration: Configuration },
  metricName: 'HandOuts' | 'LoginLatency',
  connection: string,
  options?: MetricOptions,
): Metric {
  if (!Object.hasOwn(configuration.connections, connection)) throw new Error(`There is no connection ${connection}.`);
  return new Metric({ namespace, metricName, dimensionsMap: { connection }, ...options });
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
