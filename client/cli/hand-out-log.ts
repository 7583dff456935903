import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { jsonOf } from '../answer.ts';
import type { HandOutQuery, HandOutRecord } from '../dashboard/past.ts';
import type { Endpoint } from '../endpoint.ts';
import { TokenBrokerError } from '../error.ts';
import { withTransportErrors } from '../transport.ts';
import { withAwsErrors } from './aws-error.ts';

const recordSchema = z.object({
  at: z.string(),
  caller: z.string(),
  connection: z.string(),
  subject: z.string(),
  /** Token hash: the first 12 hex digits of the token's SHA-256. */
  token: z.string(),
  generation: z.coerce.number(),
  source: z.string(),
  via: z.optional(z.string()),
  requestId: z.string(),
});

/** Gets the hand-outs of a broker on loopback, the latest first: those that it remembers of this run. */
export async function readLocalHandOuts(
  { base }: Endpoint,
  query: HandOutQuery,
  timeoutMs: number,
): Promise<readonly HandOutRecord[]> {
  const json = await withTransportErrors({ timeoutMs, what: 'the broker' }, async (signal) =>
    jsonOf(await fetch(new URL('/local/audit', base), { signal, redirect: 'manual' })),
  );
  const parsed = z.object({ records: z.array(z.unknown()) }).safeParse(json);
  if (!parsed.success) throw new TokenBrokerError('invalid_answer', 'The answer is not that of `npm start`.');
  return findHandOuts(parsed.data.records, query);
}

/** Picks the records that a query asks for. Throws an `invalid_answer` where one is no hand-out. */
export function findHandOuts(
  records: readonly unknown[],
  { since, connection, subject, caller, tokenHash, limit }: HandOutQuery,
): readonly HandOutRecord[] {
  const parsed = z.array(recordSchema).safeParse(records);
  if (!parsed.success) throw new TokenBrokerError('invalid_answer', 'The answer is not that of `npm start`.');
  const isWanted = (record: HandOutRecord) =>
    Date.parse(record.at) >= since &&
    (connection === undefined || record.connection === connection) &&
    (subject === undefined || record.subject === subject) &&
    (caller === undefined || record.caller.includes(caller)) &&
    (tokenHash === undefined || record.token === tokenHash);
  return parsed.data.filter(isWanted).slice(0, limit);
}

const NEEDS = 'logs:DescribeQueryDefinitions, logs:StartQuery, logs:GetQueryResults and logs:StopQuery';
const LOOK_EVERY_MS = 500;
const OVER: ReadonlySet<string> = new Set(['Failed', 'Cancelled', 'Timeout', 'Unknown']);

/**
 * Asks CloudWatch Logs Insights for hand-outs of a deployed broker, the latest first. The broker's saved queries name
 * the logs, at most 50 each, as many as Insights takes at once. Loads the AWS SDK only here.
 */
export async function queryHandOuts(
  broker: string,
  wanted: HandOutQuery,
  { region, timeoutMs }: { readonly region: string; readonly timeoutMs: number },
): Promise<readonly HandOutRecord[]> {
  const sdk = await import('@aws-sdk/client-cloudwatch-logs');
  const client = new sdk.CloudWatchLogsClient({ region, maxAttempts: 3 });
  const denied = {
    status: 403,
    code: 'logs_access_denied',
    detail: `Your identity may not read the logs. It needs ${NEEDS}.`,
  };
  const known = { AccessDeniedException: denied };
  const ask = <T>(work: Promise<T>) => withAwsErrors({ service: 'CloudWatch Logs', code: 'logs_failed', known }, work);

  const name = `${broker}/hand-outs`;
  const prefix = new sdk.DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: name });
  const { queryDefinitions = [] } = await ask(client.send(prefix));
  const saved = queryDefinitions.filter((each) => each.name === name || each.name?.startsWith(`${name}/`));
  if (saved.length === 0) {
    throw new TokenBrokerError(
      'gateway',
      `There is no saved query ${name} in this account and region: name the broker with --broker, its region with --region, or deploy it again if it is older than this command.`,
      { code: 'audit_not_found', status: 404 },
    );
  }
  const now = Date.now();

  async function query(logGroupNames: string[]): Promise<readonly HandOutRecord[]> {
    const started = new sdk.StartQueryCommand({
      logGroupNames,
      queryString: insightsQuery(wanted),
      startTime: Math.floor(wanted.since / 1000),
      endTime: Math.ceil(now / 1000),
      limit: wanted.limit,
    });
    const { queryId } = await ask(client.send(started));
    for (const until = now + timeoutMs; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
      const { status = '', results = [] } = await ask(client.send(new sdk.GetQueryResultsCommand({ queryId })));
      if (status === 'Complete') return results.flatMap((fields) => readRow(fields) ?? []);
      if (OVER.has(status)) throw new TokenBrokerError('gateway', `The query ended as ${status}.`, { status: 500 });
    }
    await ask(client.send(new sdk.StopQueryCommand({ queryId }))).catch(() => undefined);
    throw new TokenBrokerError('timeout', 'The query takes longer than --timeout: give it more, or ask --since later.');
  }

  const found = await Promise.all(saved.map(({ logGroupNames = [] }) => query(logGroupNames)));
  if (found.length === 1) return found.flat();
  return found
    .flat()
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, wanted.limit);
}

/** Writes the query of Logs Insights. */
export function insightsQuery({ connection, subject, caller, tokenHash }: HandOutQuery): string {
  const equal = { connection, subject, token: tokenHash };
  return [
    `fields ${Object.keys(recordSchema.shape)
      .map((name) => `audit.${name}`)
      .join(', ')}`,
    'filter ispresent(audit.token)',
    ...Object.entries(equal).flatMap(([name, value]) =>
      value === undefined ? [] : [`filter audit.${name} = ${quoted(value)}`],
    ),
    ...(caller === undefined ? [] : [`filter audit.caller like ${quoted(caller)}`]),
    'sort @timestamp desc',
  ].join(' | ');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Reads a row of results; undefined for one that is no hand-out. */
function readRow(fields: readonly { readonly field?: string | undefined; readonly value?: string | undefined }[]) {
  const members = fields.map(({ field = '', value }) => [field.replace(/^audit\./, ''), value]);
  return recordSchema.safeParse(Object.fromEntries(members)).data;
}
