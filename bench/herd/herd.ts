import { slotOf } from '../../functions/core/slot/slot.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { BROKER } from '../../local/functions.ts';
import { MEASURED } from '../broker.ts';
import { slotItem, type Times } from '../loopback/sealed-slot.ts';
import { spread } from '../rounds.ts';
import { atMost, type BenchOptions, figure, type Section, type Target } from '../section.ts';
import { type BrokerSystem, startBrokerSystem } from '../system/broker-system.ts';
import { createCallers } from '../system/callers.ts';
import { startTokenProcess } from '../system/token-process.ts';
import { type IsolatedHerd, isolatedHerd } from './isolated.ts';
import { startLoad } from './load.ts';
import { type Around, type ProfiledHerd, profileHerds } from './profiled.ts';

const LOGIN_MS = 200;
const MOST_OPERATIONS = 5.1;
/** The same on a machine that has no time for them. */
const MOST_OPERATIONS_CROWDED = 6;
const PROCESSES = 4;
const ROUNDS = 5;
const DAY_MS = 86_400_000;
const SIZE = {
  quick: { herds: [20], isolated: 20, load: 2, profiled: { callers: 20, rounds: 1 } },
  full: { herds: [50, 1_000, 5_000], isolated: 1_000, load: 16, profiled: { callers: 1_000, rounds: 20 } },
};
/** Callers that took longer than this did not get what was already there. */
const WAITED_MS = LOGIN_MS / 2;

/** Measures herds: many callers at once on a slot whose token has expired, or is about to. */
export async function benchHerd({ quick, folder }: BenchOptions): Promise<Section> {
  const { herds, isolated, load, profiled } = quick ? SIZE.quick : SIZE.full;
  const system = await startBrokerSystem(folder, LOGIN_MS);
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, () => startTokenProcess({ ...system.environment })),
  );
  try {
    const urls = processes.map(({ url }) => url);
    const login = await medianMs(() => logIn(system));
    const mintMs = await medianMs((round) => system.handOut(`${1_000 + round}`));
    // A new process compiles what it runs first.
    await httpHerd(system, urls, { subject: '900', count: 8, times: expiredTimes(mintMs) });
    const overHttp: HttpHerd[] = [];
    for (const [index, callers] of herds.entries())
      overHttp.push(
        await httpHerd(system, urls, { subject: `${901 + index}`, count: callers, times: expiredTimes(mintMs) }),
      );
    const expired = await isolatedHerd(system, { subject: '950', instances: isolated, times: expiredTimes(mintMs) });
    const ahead = await isolatedHerd(system, { subject: '951', instances: isolated, times: dueTimes(mintMs) });
    const busy = await startLoad(load);
    const overloaded = await isolatedHerd(system, { subject: '952', instances: isolated }).finally(busy.close);
    const profile = await profileHerds(processes, profiled, (round, around) =>
      httpHerd(
        system,
        urls,
        { subject: `${920 + round}`, count: profiled.callers, times: expiredTimes(mintMs) },
        around,
      ),
    );
    return report({ overHttp, profile, expired, ahead, overloaded, isolated, load, login });
  } finally {
    await Promise.all(processes.map((each) => each.close()));
    await system.close();
  }
}

function expiredTimes(mintMs: number): Times {
  const now = Date.now();
  return { issuedAt: now - DAY_MS, refreshAt: now - DAY_MS / 5, expiresAt: now - 1_000, mintMs };
}

function dueTimes(mintMs: number): Times {
  const now = Date.now();
  return { issuedAt: now - DAY_MS, refreshAt: now - 1_000, expiresAt: now + DAY_MS / 5, mintMs };
}

interface HttpHerd {
  readonly callers: number;
  readonly logins: number;
  readonly waited: number;
  readonly failed: number;
  readonly longestMs: number;
  readonly medianMs: number;
  /** From the first request to the login, and to the first answer. */
  readonly loginAfterMs: number;
  readonly firstAnswerMs: number;
}

async function httpHerd(
  system: BrokerSystem,
  urls: readonly string[],
  { subject, count, times }: { readonly subject: string; readonly count: number; readonly times: Times },
  around: Around = (work) => work(),
): Promise<HttpHerd> {
  const slot = slotOf(system.connection, subject);
  await system.put([slotItem(BROKER, slot, await system.keys.generate(slot.connection), times)]);
  const callers = createCallers(urls, count);
  try {
    const before = system.helpmaster.ledger().logins.length;
    // Callers reach API Gateway, which has its own way to the function: opening theirs is no part of the broker's time.
    await callers.open();
    const beganAt = Date.now();
    const answers = await around(() => callers.askAll(`/tokens/${MEASURED}/${subject}`));
    const waits = answers.map(({ ms }) => ms);
    const logins = system.helpmaster.ledger().logins.slice(before);
    return {
      callers: count,
      logins: logins.length,
      waited: waits.filter((ms) => ms > WAITED_MS).length,
      failed: answers.filter(({ status }) => status !== 200).length,
      longestMs: Math.max(...waits),
      medianMs: spread(waits).median,
      loginAfterMs: Date.parse(logins[0]?.at ?? '') - beganAt,
      firstAnswerMs: Math.min(...waits),
    };
  } finally {
    await callers.close();
  }
}

/** The median time of a few rounds of the work, after one that warms up; milliseconds. */
async function medianMs(work: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const began = performance.now();
    await work(round);
    times.push(performance.now() - began);
  }
  return spread(times.slice(1)).median;
}

/** Asks the upstream over HTTP for a token, and does nothing else. */
async function logIn({ helpmaster, connection }: BrokerSystem): Promise<void> {
  const response = await fetch(`${helpmaster.baseUrl}${connection.settings['systemTokenPath'] ?? ''}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(demoHelpmasterSecret),
  });
  await response.arrayBuffer();
}

function report(found: {
  readonly overHttp: readonly HttpHerd[];
  readonly profile: ProfiledHerd;
  readonly expired: IsolatedHerd;
  readonly ahead: IsolatedHerd;
  readonly overloaded: IsolatedHerd;
  readonly isolated: number;
  readonly load: number;
  readonly login: number;
}): Section {
  const { overHttp, profile, expired, ahead, overloaded, isolated, load, login } = found;
  const thousand = overHttp.find(({ callers }) => callers === 1_000) ?? overHttp[0];
  const rowOf = (name: string, herd: IsolatedHerd) => [
    name,
    figure(herd.logins),
    figure(herd.operations),
    figure(herd.operations / isolated),
    figure(herd.mostByOne),
    textOfFailed(herd),
    figure(herd.loginAfterMs),
    figure(herd.firstAnswerMs),
    figure(herd.longestWaitMs),
  ];
  return {
    title: 'Herd',
    notes: [
      `A login takes the upstream ${LOGIN_MS} ms; asked for over HTTP it takes ${figure(login)} ms. The callers, ${PROCESSES} processes with the token function, the store, \`mint\` and the upstream share one machine. The callers have their connections open.`,
      'Isolated instances share nothing but the store: none joins another in its own process, so this is the hardest case for the lease. They may all wait; deployed, 100 may for a connection, and the others are told to ask again (decision 0018).',
      'CPU time is that of more herds in the same processes, warm by then, whose stacks are sampled meanwhile; what is measured above is not. Each function counts for the room that it is of, and one of V8 or the kernel for the room that calls it. The store is a process of its own, and not in this.',
    ],
    tables: [
      {
        columns: [
          'callers over HTTP',
          'logins',
          'waited',
          'failed',
          'login after ms',
          'first answer ms',
          'median ms',
          'longest ms',
          'one login ms',
        ],
        rows: overHttp.map((herd) =>
          [
            herd.callers,
            herd.logins,
            herd.waited,
            herd.failed,
            herd.loginAfterMs,
            herd.firstAnswerMs,
            herd.medianMs,
            herd.longestMs,
            login,
          ].map(figure),
        ),
      },
      {
        columns: [
          `${figure(isolated)} isolated instances`,
          'logins',
          'store operations',
          'a caller',
          'most by one',
          'failed',
          'login after ms',
          'first answer ms',
          'longest ms',
        ],
        rows: [
          rowOf('expired', expired),
          rowOf('past refreshAt, still good', ahead),
          rowOf(`empty, beside ${load} processes that spin`, overloaded),
        ],
      },
      profile.table,
    ],
    picture: profile.picture,
    targets: [
      equals(`Herd of ${figure(isolated)} isolated instances on an expired slot: logins`, 1, expired.logins),
      atMost('Store operations a caller', MOST_OPERATIONS, expired.operations / isolated),
      equals('Of them failed', 0, countFailed(expired)),
      equals('Ahead of expiry: logins', 1, ahead.logins),
      atMost('Ahead of expiry: store operations by the callers, over their number', 2, ahead.operations / isolated),
      equals(`Empty slot, beside ${load} processes that spin: logins`, 1, overloaded.logins),
      equals('Beside them: failed', 0, countFailed(overloaded)),
      atMost('Beside them: store operations a caller', MOST_OPERATIONS_CROWDED, overloaded.operations / isolated),
      ...(thousand === undefined
        ? []
        : [
            equals(`Herd of ${figure(thousand.callers)} over HTTP: logins`, 1, thousand.logins),
            atMost('Longest wait over one login', 300, thousand.longestMs - login, ' ms'),
          ]),
    ],
  };
}

function countFailed({ failed }: IsolatedHerd): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

function textOfFailed({ failed }: IsolatedHerd): string {
  const each = Object.entries(failed).map(([code, count]) => `${figure(count)} \`${code}\``);
  return each.length === 0 ? '0' : each.join(', ');
}

function equals(what: string, wanted: number, value: number): Target {
  return { what, target: `${wanted}`, measured: figure(value), met: value === wanted };
}
