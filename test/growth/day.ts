import { lifetimeSecondsOf } from '../../functions/core/slot/connection.ts';
import { slotId } from '../../functions/core/slot/slot.ts';
import type { UpstreamRequest } from '../simulation/happenings.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { type Call, type Company, DAY_MS, drawCall, drawUp, OPEN_MS, type Subject } from './company.ts';
import { type CountedBroker, createCountedBroker } from './counted-broker.ts';

const MINUTE_MS = 60_000;

/** What a day came to. The same company and seed, the same day. */
export interface Day {
  readonly calls: number;
  /** Hand-outs asked of the broker, and those that brought no token, or a dead one. */
  readonly asked: number;
  readonly failed: number;
  /** Milliseconds that the hand-outs took in all, in virtual time. */
  readonly tookMs: number;
  readonly logins: number;
  readonly slides: number;
  /** Most logins to one upstream in a minute. */
  readonly mostLogins: number;
  /** Requests to AWS by `service.Operation`, and invocations of `mint` as `lambda.mint`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly logBytes: number;
  /** Hours in which a metric had data, summed over metrics. */
  readonly metricHours: number;
  /** Logins where each caller logs in for itself and keeps its token to the end. */
  readonly alone: { readonly logins: number; readonly mostLogins: number };
  /** Invariants broken, in words. */
  readonly broken: readonly string[];
}

/**
 * Runs a day of a company from midnight to midnight. Each slot was asked for once before, at any time of the life of a
 * token that is refreshed ahead, so that tokens fall due at any time too. `holdMs`: for how long a caller keeps a token before it asks again; not past
 * its `refreshAt`, as the client does it.
 */
export async function runDay(
  company: Company,
  { holdMs, seed = 1 }: { readonly holdMs: number; readonly seed?: number },
): Promise<Day> {
  const connections = drawUp(company);
  const broker = createCountedBroker(
    seed,
    connections.flatMap(([first]) => (first === undefined ? [] : [first.connection])),
  );
  const { time } = broker;
  const draws = createSeededRandom(seed + 1);
  const callers = createCallers(broker, holdMs);
  const begin = time.now() + DAY_MS;

  const before = connections.flat().map((subject) => ({
    at: begin - draws.integer(1, lifetimeSecondsOf(subject.connection) * 1000 * subject.connection.refreshAfter),
    call: { ...subject, caller: 'before' },
  }));
  await runThrough(
    broker,
    before.toSorted((one, other) => one.at - other.at),
    callers.ask,
    begin,
  );
  callers.counted();
  broker.counted();
  const from = broker.ledger.length;
  await runThrough(broker, drawCalls(), callers.call, begin + DAY_MS);

  function* drawCalls(): Generator<Planned> {
    const calls = company.callers * company.callsEach;
    const gapMs = (OPEN_MS.until - OPEN_MS.from) / calls;
    let at = begin + OPEN_MS.from;
    for (let n = 0; n < calls; n += 1) {
      at += -Math.log(1 - draws.fraction()) * gapMs;
      const call = drawCall(company, connections, draws);
      if (call !== undefined) yield { at: Math.floor(at), call };
    }
  }

  const sent = broker.ledger.slice(from);
  const logins = sent.filter(({ kind }) => kind === 'login');
  return {
    ...callers.counted(),
    ...broker.counted(),
    logins: logins.length,
    slides: sent.length - logins.length,
    mostLogins: mostInAMinute(logins.map(({ connection, at }) => ({ account: connection, at }))),
    broken: findBroken(broker.ledger, connections.flat()),
  };
}

interface Planned {
  readonly at: number;
  readonly call: Call;
}

/** Lets time pass until `end`: the calls come at their times, and a sweep each minute. */
async function runThrough(
  { time, sweep }: CountedBroker,
  calls: Iterable<Planned>,
  make: (call: Call) => void,
  end: number,
): Promise<void> {
  let nextSweep = Math.ceil(time.now() / MINUTE_MS) * MINUTE_MS;
  const passTo = async (at: number) => {
    for (; nextSweep <= at; nextSweep += MINUTE_MS) {
      await time.advance(nextSweep - time.now());
      void sweep();
    }
    await time.advance(at - time.now());
  };
  for (const { at, call } of calls) {
    await passTo(at);
    make(call);
  }
  await passTo(end);
}

/** The callers: an instance of `token` serves one request at a time, and the one that was idle last serves the next. */
function createCallers({ time, upstreams, startToken }: CountedBroker, holdMs: number) {
  const idle: ReturnType<typeof startToken>[] = [];
  const askAt = new Map<string, number>();
  const ownUntil = new Map<string, number>();
  let own: { readonly account: string; readonly at: number }[] = [];
  let sums = { calls: 0, asked: 0, failed: 0, tookMs: 0 };
  let [instances, requests] = [0, 0];

  async function ask({ connection, slot, caller }: Call): Promise<void> {
    const began = time.now();
    sums.asked += 1;
    requests += 1;
    if (idle.length === 0) instances += 1;
    const instance = idle.pop() ?? startToken(`token-${instances}`);
    const requestId = String(requests).padStart(36, '0');
    const handedOut = await instance({ connection, slot, caller, requestId }).catch(() => undefined);
    idle.push(instance);
    sums.tookMs += time.now() - began;
    const isGood = handedOut !== undefined && upstreams.get(connection.name)?.isAlive(handedOut.token.hash, time.now());
    if (isGood !== true) sums.failed += 1;
    else if (holdMs > 0)
      askAt.set(`${caller} ${slotId(slot)}`, Math.min(time.now() + holdMs, handedOut.token.refreshAt));
  }

  return {
    ask: (call: Call) => void ask(call),
    call(call: Call) {
      const { connection, slot, caller } = call;
      const holder = `${caller} ${slotId(slot)}`;
      const now = time.now();
      sums.calls += 1;
      if ((ownUntil.get(holder) ?? 0) <= now) {
        own.push({ account: connection.name, at: now });
        ownUntil.set(holder, now + lifetimeSecondsOf(connection) * 1000);
      }
      if ((askAt.get(holder) ?? 0) <= now) void ask(call);
    },
    counted() {
      const counted = { ...sums, alone: { logins: own.length, mostLogins: mostInAMinute(own) } };
      sums = { calls: 0, asked: 0, failed: 0, tookMs: 0 };
      own = [];
      return counted;
    },
  };
}

function mostInAMinute(logins: readonly { readonly account: string; readonly at: number }[]): number {
  const minutes = new Map<string, number>();
  for (const { account, at } of logins) {
    const minute = `${account} ${Math.floor(at / MINUTE_MS)}`;
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  return Math.max(0, ...minutes.values());
}

/** The least part of a life before a refresh: each slot's is brought forward by up to a twentieth. */
const SPREAD = 0.05;

/** Holds what was sent against the lives of tokens: one request at a time a slot (3), and none before `refreshAt` (4). */
export function findBroken(ledger: readonly UpstreamRequest[], subjects: readonly Subject[]): readonly string[] {
  const sent = Map.groupBy(ledger, ({ connection, subject }) => `${connection}/${subject}`);
  return subjects.flatMap(({ connection, slot }) => {
    const name = `${slot.connection}/${slot.subject}`;
    const leastMs = lifetimeSecondsOf(connection) * 1000 * (connection.refreshAfter - SPREAD) - 1_000;
    const requests = sent.get(name) ?? [];
    return requests.flatMap(({ at }, index) => {
      const previous = requests[index - 1];
      if (previous === undefined) return [];
      const isAlone = previous.endedAt !== undefined && previous.endedAt <= at;
      return [
        ...(isAlone ? [] : [`${name}: two requests at once`]),
        ...(at - previous.at >= leastMs ? [] : [`${name}: early`]),
      ];
    });
  });
}
