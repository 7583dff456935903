import { type Bill, lambdaTime, logDollars, requestDollars, sumOf } from '../../bench/money/bills.ts';
import { ASSUMED, PRICES } from '../../bench/money/prices.ts';
import { figure } from '../../bench/section.ts';
import type { Company } from './company.ts';
import type { Day } from './day.ts';

/** Figures of a company's day: callers that ask the broker for each call, and callers that keep what they are given. */
export interface Days {
  readonly company: Company;
  readonly asking: Day;
  readonly keeping: Day;
}

const WORKDAYS = 22;

/** Bills a day of a broker, without what it costs when nobody calls: the sweeps are in that. */
function billDay({ asked, tookMs, counts, logBytes, metricHours }: Day): Bill {
  const mints = counts['lambda.mint'] ?? 0;
  const { reads, writes, keys, secrets } = requestDollars({ ...counts, 'dynamodb.Query': 0 });
  const bytes = logBytes + (asked + mints) * ASSUMED.platformLogBytes;
  const kept = ASSUMED.logsCompressed * ASSUMED.logMonths * PRICES.logGigabyteMonth;
  const computeMs = asked * ASSUMED.memoryHitMs + tookMs + mints * ASSUMED.mintMs;
  return [
    { part: 'REST API', how: '', dollars: asked * PRICES.restApiRequest },
    { part: 'Lambda', how: '', dollars: (asked + mints) * PRICES.lambdaRequest + lambdaTime(computeMs) },
    { part: 'DynamoDB', how: '', dollars: reads + writes },
    { part: 'KMS', how: '', dollars: keys },
    { part: 'Secrets Manager', how: '', dollars: secrets },
    { part: 'logs', how: '', dollars: logDollars(bytes) + (bytes / 1e9) * kept },
    { part: 'metrics', how: '', dollars: (metricHours * PRICES.metricMonth) / ASSUMED.hoursAMonth },
    { part: 'data out', how: '', dollars: (asked * ASSUMED.answerBytes * PRICES.internetGigabyte) / 1e9 },
  ];
}

/** Bills so many logins of callers for themselves, with the secret read for each. */
function billLogins(logins: number): Bill {
  const { secrets } = requestDollars({ 'secretsmanager.GetSecretValue': logins });
  return [
    { part: 'Lambda', how: '', dollars: lambdaTime(logins * ASSUMED.loginMs) },
    { part: 'Secrets Manager', how: '', dollars: secrets },
  ];
}

interface Column {
  readonly name: string;
  readonly bill: Bill;
  /** Dollars a month beside the days and the secrets. */
  readonly standing: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Writes the table of a company's day; `idle` is what a month of the broker costs that nobody calls. */
export function tableOfDay({ company, asking, keeping }: Days, idle: number): string {
  const { calls, alone } = asking;
  const aloneFigures = { logins: alone.logins, [MOST_LOGINS]: alone.mostLogins, 'readings of secrets': alone.logins };
  const columns: readonly Column[] = [
    { name: 'asked for each call', bill: billDay(asking), standing: idle, figures: figuresOf(asking) },
    { name: 'through the client', bill: billDay(keeping), standing: idle, figures: figuresOf(keeping) },
    { name: 'each caller for itself', bill: billLogins(alone.logins), standing: 0, figures: aloneFigures },
    {
      name: 'for each call',
      bill: billLogins(calls),
      standing: 0,
      figures: { logins: calls, 'readings of secrets': calls },
    },
  ];
  const [{ bill: parts, figures } = { bill: [], figures: {} }] = columns;
  const secrets = company.connections * PRICES.secretMonth;
  const rowOf = (name: string, of: (column: Column) => string | undefined) => [
    name,
    ...columns.map((each) => of(each) ?? '–'),
  ];
  const dollars = (value: number | undefined) => value?.toFixed(2);
  const rows = [
    ...Object.keys(figures).map((name) => rowOf(name, (each) => textOf(each.figures[name]))),
    ...parts.map(({ part }) =>
      rowOf(`${part}, $`, ({ bill }) => dollars(bill.find((item) => item.part === part)?.dollars)),
    ),
    rowOf('**a day, $**', ({ bill }) => `**${dollars(sumOf(bill))}**`),
    rowOf(
      `**a month, $**: ${WORKDAYS} such days, ${company.connections} secrets, the broker itself`,
      ({ bill, standing }) => `**${dollars(WORKDAYS * sumOf(bill) + secrets + standing)}**`,
    ),
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...columns.map(({ name }) => name)]),
    `|---|${'---:|'.repeat(columns.length)}`,
    ...rows.map(line),
  ].join('\n');
}

const MOST_LOGINS = 'most to one upstream in a minute';

function figuresOf({ asked, failed, logins, mostLogins, slides, counts }: Day): Column['figures'] {
  const of = (name: string) => counts[name] ?? 0;
  return {
    'hand-outs': asked,
    'without a good token': failed,
    logins,
    [MOST_LOGINS]: mostLogins,
    slides,
    'reads of the store': of('dynamodb.GetItem'),
    writes: of('dynamodb.UpdateItem'),
    'requests to KMS': of('kms.Decrypt') + of('kms.GenerateDataKey'),
    'readings of secrets': of('secretsmanager.GetSecretValue'),
  };
}

function textOf(value: number | undefined): string | undefined {
  return value === undefined ? undefined : figure(value);
}
