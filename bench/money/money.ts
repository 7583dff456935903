import { createObservability } from '../../functions/adapters/observability.ts';
import { CALLER, MEASURED } from '../broker.ts';
import { atMost, type BenchOptions, type Section } from '../section.ts';
import { startBrokerSystem } from '../system/broker-system.ts';
import { ASSUMED, PRICES } from './prices.ts';

const HAND_OUTS = { quick: 20, full: 500 };
const MILLION = 1e6;
const GIGABYTE = 1e9;

type Counts = Readonly<Record<string, number>>;
type Bill = readonly (readonly [string, number])[];

/** Works out what a million hand-outs and an idle month cost, from requests counted here and a table of prices. */
export async function benchMoney({ quick, folder }: BenchOptions): Promise<Section> {
  const handOuts = quick ? HAND_OUTS.quick : HAND_OUTS.full;
  const system = await startBrokerSystem(folder, 0, { memorySeconds: 0 });
  try {
    // Discard the requests made at the start.
    system.counts();
    await system.handOut('1');
    const first = system.counts();
    for (let done = 0; done < handOuts; done += 1) await system.handOut('1');
    const store = system.counts();
    await system.functions.refresh.handler({} as never, {} as never);
    const sweep = system.counts();
    return report({ first, store: perOne(store, handOuts), storeCounts: store, sweep, handOuts });
  } finally {
    await system.close();
  }
}

function perOne(counts: Counts, times: number): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / times]));
}

/** The dollars for what one hand-out asks of AWS, by the operation's price. */
function requestsBill(counts: Counts): Bill {
  const of = (name: string) => counts[name] ?? 0;
  return [
    ['DynamoDB reads', of('dynamodb.GetItem') * 0.5 * PRICES.dynamodbReadUnit],
    ['DynamoDB writes', of('dynamodb.UpdateItem') * 2 * PRICES.dynamodbWriteUnit],
    ['KMS', (of('kms.Decrypt') + of('kms.GenerateDataKey')) * PRICES.kmsRequest],
    ['Secrets Manager', of('secretsmanager.GetSecretValue') * PRICES.secretRequest],
  ];
}

function handOutBill(counts: Counts, billedMs: number, logBytes: number): Bill {
  return [
    ['REST API', PRICES.restApiRequest],
    ['Lambda requests', PRICES.lambdaRequest],
    ['Lambda time', (billedMs / 1_000) * ASSUMED.memoryGigabytes * PRICES.lambdaGigabyteSecond],
    ...requestsBill(counts),
    ['Logs and metrics', ((logBytes + ASSUMED.platformLogBytes) / GIGABYTE) * PRICES.logGigabyte],
  ];
}

/** The bytes that one hand-out writes to the log. */
function logBytesOfOne(): number {
  let bytes = 0;
  const write = (line: string) => {
    bytes += Buffer.byteLength(line);
    return true;
  };
  // Only `write` is ever called.
  const output = Object.assign(Object.create(process.stdout), { write });
  const { telemetry, audit } = createObservability({ broker: 'token-broker', service: 'token', output });
  const record = { connection: MEASURED, subject: 'system', generation: 1, secretVersion: 'a'.repeat(36) };
  audit.handOut({
    ...record,
    caller: CALLER,
    tokenHash: 'a'.repeat(64),
    source: 'cache',
    requestId: 'a'.repeat(16),
    at: Date.now(),
  });
  telemetry.metrics(
    { connection: MEASURED, source: 'cache' },
    { HandOuts: { unit: 'Count', value: 1 }, SecondsToExpiry: { unit: 'Seconds', value: 80_000 } },
  );
  return bytes;
}

function idleMonth(sweep: Counts, connections: number): Bill {
  const alarms = connections * 7 + 6;
  const sweeps = ASSUMED.sweepsAMonth;
  const logGigabytes = (sweeps * (ASSUMED.platformLogBytes + 200)) / GIGABYTE;
  const seconds = (sweeps * ASSUMED.sweepMs) / 1_000;
  return [
    ['KMS key', PRICES.kmsKeyMonth],
    [`Secrets, ${connections}`, connections * PRICES.secretMonth],
    [`Alarms, ${alarms}`, alarms * PRICES.alarmMonth],
    ['Dashboard', PRICES.dashboardMonth],
    ['Metric of the sweeps', PRICES.metricMonth],
    ['Schedule', sweeps * PRICES.schedulerInvocation],
    ['Lambda', sweeps * PRICES.lambdaRequest + seconds * ASSUMED.memoryGigabytes * PRICES.lambdaGigabyteSecond],
    ['DynamoDB', sweeps * (sweep['dynamodb.Query'] ?? 0) * 0.5 * PRICES.dynamodbReadUnit],
    ['Logs', logGigabytes * PRICES.logGigabyte],
  ];
}

function report(counted: {
  readonly first: Counts;
  readonly store: Counts;
  readonly storeCounts: Counts;
  readonly sweep: Counts;
  readonly handOuts: number;
}): Section {
  const logBytes = logBytesOfOne();
  const memory = handOutBill({}, ASSUMED.memoryHitMs, logBytes);
  const store = handOutBill(counted.store, ASSUMED.storeHitMs, logBytes);
  const naiveCounts = { 'secretsmanager.GetSecretValue': 1 };
  const naive = handOutBill(naiveCounts, ASSUMED.storeHitMs + ASSUMED.loginMs, logBytes);
  const month = idleMonth(counted.sweep, 2);
  const vault = ASSUMED.vaultInstances * ASSUMED.hoursAMonth * PRICES.vaultInstanceHour;
  const parts = memory.map(([part]) => part);
  const amount = (bill: Bill, part: string) => (bill.find(([name]) => name === part)?.[1] ?? 0) * MILLION;
  return {
    title: 'Money',
    notes: [
      `Prices of ${PRICES.region}, ${PRICES.date}, no free tier. Counted: the requests of ${counted.handOuts} hand-outs from the store (${textOf(counted.storeCounts)}), of the first of an empty slot (${textOf(counted.first)}), of a sweep with nothing due (${textOf(counted.sweep)}), and ${logBytes} bytes of log a hand-out. Assumed: ${ASSUMED.memoryHitMs} ms billed for a hand-out from memory and ${ASSUMED.storeHitMs} ms from the store at 512 MB, ${ASSUMED.platformLogBytes} bytes of Lambda's and the API's own lines, one request in twenty traced. Each source of each connection has two metrics of $${PRICES.metricMonth} a month, however many hand-outs.`,
      `The naive way reads the secret and logs in each time (${ASSUMED.loginMs} ms). Vault on EC2 is ${ASSUMED.vaultInstances} × t3.medium, busy or not, without storage, balancer and the work of running it.`,
    ],
    tables: [
      {
        columns: ['a million hand-outs, $', 'from memory', 'each from the store', 'naive'],
        rows: [
          ...parts.map((part) => [part, ...[memory, store, naive].map((bill) => dollars(amount(bill, part)))]),
          ['all', ...[memory, store, naive].map((bill) => dollars(sum(bill) * MILLION))],
        ],
      },
      {
        columns: ['an idle month, two connections', '$'],
        rows: [
          ...month.map(([part, cost]) => [part, dollars(cost)]),
          ['all', dollars(sum(month))],
          ['of it without key, secrets, alarms and dashboard', dollars(sum(month.slice(4)))],
          ['Vault on EC2', dollars(vault)],
        ],
      },
    ],
    targets: [
      atMost('A million hand-outs, each from the store, logs and metrics included', 6, sum(store) * MILLION, ' $'),
      atMost('The same over the naive way, both without the API', 1 / 3, withoutApi(store) / withoutApi(naive)),
    ],
  };
}

function withoutApi(bill: Bill): number {
  return sum(bill) - PRICES.restApiRequest;
}

function sum(bill: Bill): number {
  return bill.reduce((total, [, cost]) => total + cost, 0);
}

function dollars(value: number): string {
  return value.toFixed(value < 0.1 ? 3 : 2);
}

function textOf(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name.split('.').at(-1)} ${count}`)
    .join(', ');
}
