import { forkModule } from '../child-process.ts';
import { spread } from '../rounds.ts';
import { atMost, type BenchOptions, type Section, spreadText } from '../section.ts';
import type { FirstToken } from './child.ts';

const LOGIN_MS = 200;
const MOST_OVER_LOGIN_MS = 20;
/** The first ones warm up: they load and compile what the others run. */
const WARM_UP = 5;
const SIZE = { quick: { processes: 1, warm: 3 }, full: { processes: 5, warm: 21 } };

/** Measures the first token of an empty slot, hop by hop: in new processes, and in one that is warm. */
export async function benchFirstToken({ quick, folder }: BenchOptions): Promise<Section> {
  const { processes, warm } = quick ? SIZE.quick : SIZE.full;
  const cold: FirstToken[] = [];
  for (let started = 1; started < processes; started += 1) cold.push(...(await askFirst(folder, 1)));
  const [first, ...others] = await askFirst(folder, WARM_UP + warm);
  if (first !== undefined) cold.push(first);
  return report(cold, others.slice(WARM_UP - 1));
}

async function askFirst(folder: string, count: number): Promise<readonly FirstToken[]> {
  const child = forkModule(new URL('child.ts', import.meta.url).href);
  try {
    // The child answers with the result of `askFirst` there.
    return (await child.ask({ folder, loginMs: LOGIN_MS, count })) as readonly FirstToken[];
  } finally {
    await child.close();
  }
}

/** Milliseconds of each part of a first token, in their order; together with the login they are the whole. */
function partsOf({ tookMs, hops }: FirstToken): Readonly<Record<string, number>> {
  const named = (name: string) => hops.filter((hop) => hop.name === name);
  const [invoke, login] = [named('Invoke')[0], named('login')[0]];
  if (invoke === undefined || login === undefined) throw new Error('A first token was not minted.');
  const length = (from = invoke.began, until = from) => until - from;
  const spanOf = (some: typeof hops) =>
    some.length === 0 ? 0 : Math.max(...some.map(({ ended }) => ended)) - Math.min(...some.map(({ began }) => began));
  const before = hops.filter(({ ended }) => ended <= invoke.began);
  const ready = hops.filter(({ began, ended }) => began > invoke.began && ended <= login.began);
  const [begin, ...material] = ready;
  const publish = hops.filter(({ began, ended }) => began >= login.ended && ended <= invoke.ended);
  const after = hops.filter(({ began }) => began >= invoke.ended);
  const parts = {
    'API and handler': length(0, before[0]?.began),
    'look at the store': spanOf(before.filter(({ name }) => name === 'GetItem')),
    'take a permit to wait, and the lease': spanOf(before.filter(({ name }) => name === 'UpdateItem')),
    'invoke `mint`': length(invoke.began, begin?.began),
    'begin under the lease': spanOf(begin === undefined ? [] : [begin]),
    'secret, data key and logins, side by side': spanOf(material),
    publish: spanOf(publish),
    'reply of `mint`': length(publish.at(-1)?.ended, invoke.ended),
    'read what was published': spanOf(after.filter(({ name }) => name === 'GetItem')),
    'decrypt the data key, and give the permit back, side by side': spanOf(
      after.filter(({ name }) => name !== 'GetItem'),
    ),
    answer: length(after.at(-1)?.ended, tookMs),
  };
  const known = Object.values(parts).reduce((sum, ms) => sum + ms, length(login.began, login.ended));
  return { ...parts, 'own work between them': tookMs - known };
}

function overLogin({ tookMs, hops }: FirstToken): number {
  const login = hops.find(({ name }) => name === 'login');
  return tookMs - (login === undefined ? Number.NaN : login.ended - login.began);
}

function report(cold: readonly FirstToken[], warm: readonly FirstToken[]): Section {
  const rows = (tokens: readonly FirstToken[]) => tokens.map(partsOf);
  const [coldRows, warmRows] = [rows(cold), rows(warm)];
  const of = (some: typeof warmRows, part: string) => spreadText(spread(some.map((each) => each[part] ?? Number.NaN)));
  const over = spread(warm.map(overLogin));
  return {
    title: 'First token',
    notes: [
      `The first token of an empty slot, without the login, which takes ${LOGIN_MS} ms. Token function, \`mint\`, the stand-ins of AWS and the upstream are one process, the store another. Cold is the first of a new process, the first login of its secret's version too, which writes twice more, makes a data key and decrypts it; warm comes after ${WARM_UP} others, whose data key it shares.`,
    ],
    tables: [
      {
        columns: ['ms', 'warm', 'cold'],
        rows: [
          ...Object.keys(warmRows[0] ?? {}).map((part) => [part, of(warmRows, part), of(coldRows, part)]),
          ['**over the login**', spreadText(over), spreadText(spread(cold.map(overLogin)))],
        ],
      },
    ],
    targets: [atMost('Of an empty slot, over the login itself, warm', MOST_OVER_LOGIN_MS, over.median, ' ms')],
  };
}
