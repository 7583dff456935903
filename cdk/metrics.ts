import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';

/** The functions that publish metrics, by the name they give themselves. */
export type Service = 'token' | 'mint' | 'proxy' | 'exchange' | 'refresh';

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
