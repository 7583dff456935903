import { atMost, type BenchOptions, type Section, type Target } from '../section.ts';
import { startBrokerSystem } from '../system/broker-system.ts';
import { type Bill, billMillion, type Counts, sumOf } from './bills.ts';
import { REQUESTS } from './costs.ts';
import { countLogBytes } from './log-bytes.ts';
import { ASSUMED, CEILINGS, PRICES } from './prices.ts';

const HAND_OUTS = { quick: 20, full: 500 };

/** Works out what a million hand-outs cost, from requests counted here and the prices. */
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

function report(counted: {
  readonly first: Counts;
  readonly store: Counts;
  readonly storeCounts: Counts;
  readonly sweep: Counts;
  readonly handOuts: number;
}): Section {
  const logBytes = countLogBytes();
  const decrypts = ASSUMED.decryptsOfASlot;
  const memory = billMillion({ counts: {}, billedMs: ASSUMED.memoryHitMs, logBytes, decrypts });
  const store = billMillion({ counts: counted.store, billedMs: ASSUMED.storeHitMs, logBytes, decrypts });
  const naive = billMillion({
    counts: { 'secretsmanager.GetSecretValue': 1 },
    billedMs: ASSUMED.storeHitMs + ASSUMED.loginMs,
    logBytes,
    decrypts: 0,
  });
  const bills = [memory, store, naive];
  const parts = new Set(bills.flat().map(({ part }) => part));
  const vault = ASSUMED.vaultInstances * ASSUMED.hoursAMonth * PRICES.vaultInstanceHour;
  return {
    title: 'Money',
    notes: [
      `Prices of ${PRICES.region}, ${PRICES.date}, no free tier. Counted: the requests of ${counted.handOuts} hand-outs from the store (${textOf(counted.storeCounts)}), of the first of an empty slot (${textOf(counted.first)}), of a sweep with nothing due (${textOf(counted.sweep)}), and ${logBytes} bytes of log a hand-out. Assumed: ${ASSUMED.memoryHitMs} ms billed for a hand-out from memory and ${ASSUMED.storeHitMs} ms from the store at 512 MB, ${ASSUMED.platformLogBytes} bytes of Lambda's and the API's own lines, ${ASSUMED.answerBytes} bytes of answer, ${ASSUMED.decryptsOfASlot} decrypts of a data key. What a month costs is in docs/deploying.md.`,
      `The naive way reads the secret and logs in each time (${ASSUMED.loginMs} ms). Vault on EC2 is ${ASSUMED.vaultInstances} × t3.medium, busy or not, without storage, balancer and the work of running it: ${dollars(vault)} $ a month.`,
    ],
    tables: [
      {
        columns: ['a million hand-outs, $', 'from memory', 'each from the store', 'naive'],
        rows: [
          ...[...parts].map((part) => [part, ...bills.map((bill) => dollars(amountOf(bill, part)))]),
          ['all', ...bills.map((bill) => dollars(sumOf(bill)))],
        ],
      },
    ],
    targets: [
      atMost('A million hand-outs, each from the store, in dollars', CEILINGS.million, sumOf(store)),
      atMost('The same over the naive way, both without the API', 1 / 3, withoutApi(store) / withoutApi(naive)),
      sameRequests(counted),
    ],
  };
}

/** The table of costs is worked out without counting, so what it takes for counted must be so. */
function sameRequests({ first, store, sweep }: Readonly<Record<'first' | 'store' | 'sweep', Counts>>): Target {
  const differ = (
    [
      ['hand-out', REQUESTS.handOut, store],
      ['login', REQUESTS.login, first],
      ['sweep', REQUESTS.sweep, sweep],
    ] as const
  ).filter(([, taken, counts]) => Object.entries(taken).some(([name, count]) => counts[name] !== count));
  const measured = differ.length === 0 ? 'the same' : `other: ${differ.map(([what]) => what).join(', ')}`;
  return { what: 'Requests that the table of costs rests on', target: 'the same', measured, met: differ.length === 0 };
}

function amountOf(bill: Bill, part: string): number {
  return bill.find((item) => item.part === part)?.dollars ?? 0;
}

function withoutApi(bill: Bill): number {
  return sumOf(bill) - amountOf(bill, 'REST API');
}

function dollars(value: number): string {
  return value.toFixed(2);
}

function textOf(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name.split('.').at(-1)} ${count}`)
    .join(', ');
}
