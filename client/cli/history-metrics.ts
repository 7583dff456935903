import { jsonOf } from '../answer.ts';
import {
  type History,
  historyOf,
  type Kind,
  limitsOf,
  parseHistory,
  type Sample,
  type SpanName,
  spans,
} from '../dashboard/history.ts';
import type { Endpoint } from '../endpoint.ts';
import { TokenBrokerError } from '../error.ts';
import { withTransportErrors } from '../transport.ts';
import { withAwsErrors } from './aws-error.ts';

/** Gets the history of a broker on loopback: what it has counted in this run. */
export async function readLocalHistory({ base }: Endpoint, span: SpanName, timeoutMs: number): Promise<History> {
  const json = await withTransportErrors({ timeoutMs, what: 'the broker' }, async (signal) =>
    jsonOf(await fetch(new URL(`/local/history?span=${span}`, base), { signal, redirect: 'manual' })),
  );
  const history = parseHistory(json);
  if (history === undefined) throw new TokenBrokerError('invalid_answer', 'The answer is not that of `npm start`.');
  return history;
}

/** Metrics that the functions write, each with its kind on the page and its dimensions; the samples of each are counted. */
const metrics = [
  { kind: 'hand_outs', name: 'HandOuts', dimensions: 'connection' },
  { kind: 'logins', name: 'LoginLatency', dimensions: 'connection' },
  { kind: 'slides', name: 'SlideLatency', dimensions: 'connection' },
  { kind: 'failures', name: 'BackOffs', dimensions: 'service,connection,code' },
] as const satisfies readonly { readonly kind: Kind; readonly name: string; readonly dimensions: string }[];

/** Dynamic labels, in place of which CloudWatch writes the dimension's value. */
const [CONNECTION, CODE] = ['connection', 'code'].map((dimension) => `\${PROP('Dim.${dimension}')}`);
const LABEL_DELIMITER = ' ';
/** Limit on pages of results, against an answer that never ends. */
const MOST_PAGES = 20;

/** Gets the history of a deployed broker from its metrics in CloudWatch. Loads the AWS SDK only here. */
export async function queryHistory(
  broker: string,
  span: SpanName,
  { region, timeoutMs }: { readonly region: string; readonly timeoutMs: number },
): Promise<History> {
  const sdk = await import('@aws-sdk/client-cloudwatch');
  const client = new sdk.CloudWatchClient({ region, maxAttempts: 3 });
  const denied = {
    status: 403,
    code: 'metrics_access_denied',
    detail: 'Your identity may not read the metrics. It needs cloudwatch:GetMetricData.',
  };
  const known = { AccessDenied: denied, AccessDeniedException: denied };
  const now = Date.now();
  const { from, to } = limitsOf(span, now);
  const samples: Sample[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const asked = new sdk.GetMetricDataCommand({
      StartTime: new Date(from),
      EndTime: new Date(to),
      MetricDataQueries: metrics.map(({ kind, name, dimensions }) => ({
        Id: kind,
        Expression: `SEARCH('{"${broker}",${dimensions}} MetricName="${name}"', 'SampleCount', ${spans[span].stepSeconds})`,
        // A search finds many metrics: the label says which one a result is.
        Label: kind === 'failures' ? `${CONNECTION} ${CODE}` : CONNECTION,
      })),
      NextToken: nextToken,
    });
    const sent = client.send(asked, { abortSignal: AbortSignal.timeout(timeoutMs) });
    const answer = await withAwsErrors({ service: 'CloudWatch', code: 'metrics_failed', known }, sent);
    for (const result of answer.MetricDataResults ?? []) samples.push(...samplesIn(result));
    nextToken = answer.NextToken;
    if (nextToken === undefined) break;
  }
  const note =
    samples.length === 0
      ? `CloudWatch has counted nothing of a broker named ${broker} in ${region} in this time. If it has another name, give --broker.`
      : `Counted by CloudWatch for ${broker} in ${region}; the last minutes may be missing yet.`;
  return historyOf(samples, { span, now, note });
}

/** Reads the counts of one metric. */
function samplesIn({
  Id: kind,
  Label: label = '',
  Timestamps: times = [],
  Values: values = [],
}: {
  readonly Id?: string | undefined;
  readonly Label?: string | undefined;
  readonly Timestamps?: readonly Date[] | undefined;
  readonly Values?: readonly number[] | undefined;
}): readonly Sample[] {
  const metric = metrics.find((each) => each.kind === kind);
  if (metric === undefined) return [];
  const [connection = '', code] = label.split(LABEL_DELIMITER);
  return times.map((time, at) => ({
    connection,
    kind: metric.kind,
    at: time.getTime(),
    count: values[at] ?? 0,
    code,
  }));
}
