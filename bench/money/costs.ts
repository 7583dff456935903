import {
  type Bill,
  billMillion,
  type Counts,
  type Item,
  lambdaTime,
  logDollars,
  MILLION,
  requestDollars,
  sumOf,
} from './bills.ts';
import { countLogBytes } from './log-bytes.ts';
import { ASSUMED, CEILINGS, PRICES } from './prices.ts';

/** Requests of a hand-out from the store, of a login of an empty slot, and of a sweep with nothing due, as `npm run bench` counts them. */
export const REQUESTS = {
  handOut: { 'dynamodb.GetItem': 1 },
  login: {
    'dynamodb.GetItem': 3,
    'dynamodb.UpdateItem': 7,
    'secretsmanager.GetSecretValue': 1,
    'kms.GenerateDataKey': 1,
    'kms.Decrypt': 1,
  },
  sweep: { 'dynamodb.Query': 4 },
} as const satisfies Record<string, Counts>;

/** The part of a synthesized template that prices are looked up for. */
export interface Priced {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}

/** Sums that pages quote, in dollars. */
export interface Sums {
  readonly million: number;
  readonly idle: number;
  /** With what AWS gives each account for nothing, without end. */
  readonly idleFree: number;
  readonly connection: number;
  /** Metrics of a connection that is as busy as can be. */
  readonly metrics: number;
}

/** Works out the table of costs, as Markdown, and its sums, from a stack's template with all nested ones. */
export function workOutCosts(template: Priced): { readonly table: string; readonly sums: Sums } {
  const million = billMillion({
    counts: REQUESTS.handOut,
    billedMs: ASSUMED.storeHitMs,
    logBytes: countLogBytes(),
    decrypts: ASSUMED.decryptsOfASlot,
  });
  const idle = billIdle(template);
  const [usual, office, hourly, busy] = CONNECTIONS;
  const connection = billConnection(usual);
  const sums = {
    million: sumOf(million),
    idle: sumOf(idle),
    idleFree: sumOf(idle.filter(({ part }) => !FREE.has(part))),
    connection: sumOf(connection),
    metrics: dollarsOf(billConnection(busy), METRICS),
  };
  const rows = [
    ...million.map(rowOf),
    totalOf('a million hand-outs', 'each from the store', sums.million, CEILINGS.million),
    ...idle.map(rowOf),
    totalOf('idle, a month', 'list price', sums.idle, CEILINGS.idle),
    totalOf(
      'idle, a month',
      `without ${[...FREE].join(', ')}: free in each account, up to some`,
      sums.idleFree,
      CEILINGS.idle,
    ),
    ...connection.map(rowOf),
    ...[usual, office].map((each) =>
      totalOf('a connection, a month', each.use, sumOf(billConnection(each)), CEILINGS.connection),
    ),
    totalOf('metrics of a connection, a month', `the most: ${busy.use}`, sums.metrics, CEILINGS.metrics),
    ...[hourly, busy].map(rowOfAll),
    ...billOptions(million).map(rowOf),
  ];
  return { table: ['|  |  | $ |', '| --- | --- | ---: |', ...rows].join('\n'), sums };
}

/** Parts of the idle month that AWS gives each account for nothing: 10 alarms, and requests by the million. */
const FREE: ReadonlySet<string> = new Set(['alarms', 'schedule', '`refresh`', 'its logs']);

function countType(
  { Resources }: Priced,
  type: string,
  isMeant = (_: Readonly<Record<string, unknown>>) => true,
): number {
  return Object.values(Resources).filter(({ Type, Properties = {} }) => Type === type && isMeant(Properties)).length;
}

/** Bills a month of a broker that nobody calls, without its connections' secrets. */
function billIdle(template: Priced): Bill {
  const alarm = 'AWS::CloudWatch::Alarm';
  const queries = countType(template, alarm, ({ Metrics }) => Metrics !== undefined);
  const alarms = countType(template, alarm) - queries;
  const keys = countType(template, 'AWS::KMS::Key');
  const sweeps = ASSUMED.sweepsAMonth * countType(template, 'AWS::Scheduler::Schedule');
  const times = sweeps.toLocaleString('en-US');
  return [
    { part: 'KMS key', how: `${keys} × 1.00`, dollars: keys * PRICES.kmsKeyMonth },
    { part: 'alarms', how: `${alarms} of one metric × 0.10`, dollars: alarms * PRICES.alarmMetricMonth },
    {
      part: 'alarms that query',
      how: `${queries}; 0.10 for each metric that they find, and they find none while all is well`,
      dollars: 0,
    },
    { part: 'schedule', how: times, dollars: sweeps * PRICES.schedulerInvocation },
    {
      part: '`refresh`',
      how: `${times} × ${ASSUMED.sweepMs} ms`,
      dollars: sweeps * (PRICES.lambdaRequest + lambdaTime(ASSUMED.sweepMs)),
    },
    { part: 'its queries', how: `${times} × 4`, dollars: sweeps * requestDollars(REQUESTS.sweep).reads },
    {
      part: 'its logs',
      how: `${times} × ${ASSUMED.sweepLogBytes} bytes`,
      dollars: sweeps * logDollars(ASSUMED.sweepLogBytes),
    },
  ];
}

interface Use {
  readonly use: string;
  /** Hours a month in which it is asked, in which it logs in, and in which it renews in place of a login. */
  readonly hours: number;
  readonly loginHours: number;
  readonly renewalHours: number;
  readonly logins: number;
}

const METRICS = 'its metrics';
const MONTH = ASSUMED.hoursAMonth;
const WORKDAYS = 22;

const CONNECTIONS: readonly [Use, Use, Use, Use] = [
  {
    use: 'asked for tokens in every hour, a login a day',
    hours: MONTH,
    loginHours: ASSUMED.daysAMonth,
    renewalHours: 0,
    logins: ASSUMED.daysAMonth,
  },
  {
    use: 'asked for tokens in ten hours of 22 days, a login on each',
    hours: WORKDAYS * 10,
    loginHours: WORKDAYS,
    renewalHours: 0,
    logins: WORKDAYS,
  },
  { use: 'a login in every hour', hours: MONTH, loginHours: MONTH, renewalHours: 0, logins: MONTH },
  {
    use: 'tokens and proxied calls, logins and slides in every hour, a login each ten minutes',
    hours: MONTH,
    loginHours: MONTH,
    renewalHours: MONTH,
    logins: MONTH * 6,
  },
];

/** Bills a month of a connection with one slot. A metric is paid for by the hour in which it has data. */
function billConnection({ hours, loginHours, renewalHours, logins }: Use): Bill {
  const { reads, writes, keys, secrets } = requestDollars(REQUESTS.login);
  const login = reads + writes + keys + secrets + PRICES.lambdaRequest + lambdaTime(ASSUMED.mintMs);
  return [
    { part: 'secret', how: '1 × 0.40', dollars: PRICES.secretMonth },
    {
      part: METRICS,
      how: `0.30 each, by the hour: \`HandOuts\` in ${hours} of ${MONTH}, \`LoginLatency\` in ${loginHours}`,
      dollars: (PRICES.metricMonth * (hours + loginHours + renewalHours)) / MONTH,
    },
    { part: 'logins', how: `${logins}`, dollars: logins * login },
  ];
}

function dollarsOf(bill: Bill, part: string): number {
  return sumOf(bill.filter((item) => item.part === part));
}

const CANARY_CALLS = ASSUMED.sweepsAMonth / 5;

/** Bills what a default deployment does not have, each by itself. */
function billOptions(million: Bill): Bill {
  const canaryCall =
    sumOf(million) / MILLION +
    PRICES.schedulerInvocation +
    PRICES.lambdaRequest +
    lambdaTime(ASSUMED.canaryMs) +
    logDollars(ASSUMED.sweepLogBytes);
  const zones = ASSUMED.zones;
  const endpoints = ['Secrets Manager', 'KMS', 'Lambda'];
  return [
    {
      part: 'in use: the schedule',
      how: '`RefreshBacklog` and a `SlotsSwept`, where a slot falls due in every hour',
      dollars: 2 * PRICES.metricMonth,
    },
    {
      part: 'in use: waiting',
      how: '`WaitForMint`, where a caller waits for a login in every hour',
      dollars: PRICES.metricMonth,
    },
    {
      part: 'option: `canary`',
      how: `two alarms, and ${CANARY_CALLS.toLocaleString('en-US')} hand-outs; its connection is one that is asked in every hour`,
      dollars: 2 * PRICES.alarmMetricMonth + CANARY_CALLS * canaryCall,
    },
    {
      part: 'option: `rollout`',
      how: 'two alarms of one metric for each function behind the API, a month; for three of them',
      dollars: 3 * 2 * PRICES.alarmMetricMonth,
    },
    { part: 'option: `dashboard`', how: 'a month; an account has three for nothing', dollars: PRICES.dashboardMonth },
    {
      part: 'option: `vpc` with NAT',
      how: `a gateway in each of ${zones} zones, a month, without traffic`,
      dollars: zones * MONTH * PRICES.natGatewayHour,
    },
    {
      part: 'option: `vpc` with endpoints',
      how: `${endpoints.join(', ')} in ${zones} zones, a month; DynamoDB's is free, the upstream needs its own way`,
      dollars: endpoints.length * zones * MONTH * PRICES.endpointHour,
    },
    {
      part: 'option: a refresh token that rotates',
      how: 'a kept secret, a connection and month',
      dollars: PRICES.secretMonth,
    },
    { part: 'option: `tracing`', how: 'X-Ray, 5 % of a million hand-outs', dollars: 0.05 * MILLION * PRICES.trace },
    {
      part: 'option: `strictAudit`',
      how: 'a write unit each of a million hand-outs',
      dollars: MILLION * PRICES.dynamodbWriteUnit,
    },
    {
      part: 'later: the key rotates',
      how: 'a month, after the first year; twice that after the second, then no more',
      dollars: PRICES.kmsKeyMonth,
    },
    {
      part: 'growth: 100 connections in use at once',
      how: 'KMS, a decrypt of one data key of each, each five minutes of ten hours, on ten instances',
      dollars: 100 * 120 * 10 * PRICES.kmsRequest,
    },
  ];
}

function rowOf({ part, how, dollars }: Item): string {
  return `| ${part} | ${how} | ${dollars.toFixed(2)} |`;
}

function rowOfAll(use: Use): string {
  const bill = billConnection(use);
  const terms = bill.map(({ part, dollars }) => `${part} ${dollars.toFixed(2)}`).join(', ');
  return rowOf({ part: 'all of a connection', how: `${use.use}: ${terms}`, dollars: sumOf(bill) });
}

function totalOf(what: string, how: string, dollars: number, ceiling: number): string {
  const met = dollars <= ceiling ? 'met' : '**not met**';
  return `| **${what}** | ${how}; target ≤ ${ceiling.toFixed(2)}: ${met} | **${dollars.toFixed(2)}** |`;
}
