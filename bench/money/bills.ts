import { ASSUMED, PRICES } from './prices.ts';

/** Requests by service and operation, such as `kms.Decrypt`. */
export type Counts = Readonly<Record<string, number>>;
/** Dollars by what they are paid for, and how they were worked out. */
export type Bill = readonly Item[];

export interface Item {
  readonly part: string;
  readonly how: string;
  readonly dollars: number;
}

export const MILLION = 1e6;
const GIGABYTE = 1e9;

export function sumOf(bill: Bill): number {
  return bill.reduce((total, { dollars }) => total + dollars, 0);
}

/** Dollars of some time of a function. */
export function lambdaTime(milliseconds: number): number {
  return (milliseconds / 1_000) * ASSUMED.memoryGigabytes * PRICES.lambdaGigabyteSecond;
}

export function logDollars(bytes: number): number {
  return (bytes / GIGABYTE) * PRICES.logGigabyte;
}

/** Dollars of requests that were counted. An update writes the item and the index. */
export function requestDollars(counts: Counts) {
  const of = (name: string) => counts[name] ?? 0;
  return {
    reads: (of('dynamodb.GetItem') + of('dynamodb.Query')) * 0.5 * PRICES.dynamodbReadUnit,
    writes: of('dynamodb.UpdateItem') * 2 * PRICES.dynamodbWriteUnit,
    keys: (of('kms.Decrypt') + of('kms.GenerateDataKey')) * PRICES.kmsRequest,
    secrets: of('secretsmanager.GetSecretValue') * PRICES.secretRequest,
  };
}

/** Bills a million hand-outs, each of which asks `counts` of AWS. */
export function billMillion({
  counts,
  billedMs,
  logBytes,
  decrypts,
}: {
  readonly counts: Counts;
  readonly billedMs: number;
  readonly logBytes: number;
  /** Decrypts of data keys, of all million together. */
  readonly decrypts: number;
}): Bill {
  const { reads, writes, keys, secrets } = requestDollars(counts);
  const bytes = logBytes + ASSUMED.platformLogBytes;
  const kept = ASSUMED.logsCompressed * ASSUMED.logMonths;
  const each: Bill = [
    { part: 'REST API', how: 'a request each', dollars: PRICES.restApiRequest },
    {
      part: 'Lambda',
      how: `a request and ${billedMs} ms of ${ASSUMED.memoryGigabytes} GB each`,
      dollars: PRICES.lambdaRequest + lambdaTime(billedMs),
    },
    { part: 'DynamoDB', how: 'on demand, half a read unit each', dollars: reads + writes },
    { part: 'Secrets Manager', how: 'requests', dollars: secrets },
    { part: 'logs', how: `${bytes} bytes of audit, metrics, Lambda and access log each`, dollars: logDollars(bytes) },
    {
      part: 'logs, kept',
      how: `${ASSUMED.logMonths} months, at ${ASSUMED.logsCompressed} of their size`,
      dollars: (bytes / GIGABYTE) * kept * PRICES.logGigabyteMonth,
    },
    {
      part: 'data out',
      how: `${ASSUMED.answerBytes / 1_000} KB each, to the internet`,
      dollars: (ASSUMED.answerBytes / GIGABYTE) * PRICES.internetGigabyte,
    },
  ];
  return [
    ...each.filter(({ dollars }) => dollars > 0).map((item) => ({ ...item, dollars: item.dollars * MILLION })),
    {
      part: 'KMS',
      how: 'one slot: a decrypt each five minutes of ten hours, on 50 instances',
      dollars: decrypts * PRICES.kmsRequest + keys * MILLION,
    },
  ];
}
