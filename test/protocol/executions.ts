import type { Connection } from '../../functions/core/slot/connection.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { createWorld, type TokenInstance } from '../simulation/world.ts';

/** Requests of a while, by what became of them. Times in milliseconds of virtual time. */
export interface Seen {
  /** Times of the healthy connection's answers. */
  readonly healthyMs: readonly number[];
  /** Answers to callers of the healthy connection that were 5xx, or throttled by Lambda. */
  readonly healthyFailed: number;
  /** Most executions at once of `token`, and of `token` and `mint` together. */
  readonly mostOfToken: number;
  readonly mostInAll: number;
  /** Most requests at once that waited for the other connection. */
  readonly mostWaits: number;
  /** Logins sent to the other connection's upstream. */
  readonly logins: number;
}

/** The load: hand-outs a second of a healthy connection, and cold subjects a second of one whose upstream hangs. */
export interface Load {
  readonly healthyPerSecond: number;
  readonly coldPerSecond: number;
  /** Executions that `token` may have at once; a request beyond is throttled, as Lambda does. */
  readonly executions: number;
  /** Most requests that wait for a connection; undefined: no limit. */
  readonly mostWaits: number | undefined;
}

/** The load that must not be noticed: fifty executions, of which a tenth may wait for one connection. */
export const LOAD: Load = { healthyPerSecond: 200, coldPerSecond: 50, executions: 50, mostWaits: 5 };

const STEP_MS = 5;

/**
 * Runs the production core in virtual time on Lambda's rule: one request an execution, for as long as the request
 * takes. So the numbers are of waiting and of queues alone, the same on every machine.
 */
export async function createExecutions({ healthyPerSecond, coldPerSecond, executions, mostWaits }: Load, seed = 1) {
  // Every hand-out reads the store: from memory it would take no time.
  const healthy = helpdeskConnection({ memorySeconds: 0 });
  const other = helpdeskConnection({ name: 'other', secret: 'token-broker/other', isolation: 'other' });
  const world = createWorld({ seed, connections: [healthy, other], mostWaits });
  const { time, weather, fleet, log } = world;
  Object.assign(weather.latency, { least: 2, most: 8, slowChance: 0.02, slowMost: 40 });
  const idle: TokenInstance[] = [];
  let running = 0;
  let subjects = 0;
  let requests = 0;

  /** Has an execution of `token` serve a request; gives its time, or undefined where it failed. */
  async function serve(connection: Connection, subject: string): Promise<number | undefined> {
    if (running >= executions) return undefined;
    running += 1;
    requests += 1;
    const instance = idle.pop() ?? world.startTokenInstance(`token-${requests}`);
    const began = time.now();
    try {
      const about = { connection, slot: slotOf(connection, subject), caller: 'c', requestId: `r-${requests}` };
      await instance.handOut(about);
      return time.now() - began;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      return undefined;
    } finally {
      running -= 1;
      idle.push(instance);
    }
  }

  /** Has callers come for so long; of the other connection too, if it is cold. */
  async function run(forMs: number, { isCold }: { readonly isCold: boolean }): Promise<Seen> {
    const asked: Promise<number | undefined>[] = [];
    const from = { log: log.length, logins: world.ledger.length };
    const most = { ofToken: 0, inAll: 0 };
    const begin = time.now();
    for (let at = 0; at < forMs; at += STEP_MS) {
      const come = (perSecond: number) =>
        Math.floor(((at + STEP_MS) * perSecond) / 1000) - Math.floor((at * perSecond) / 1000);
      for (let n = come(healthyPerSecond); n > 0; n -= 1) asked.push(serve(healthy, 'system'));
      for (let n = isCold ? come(coldPerSecond) : 0; n > 0; n -= 1) {
        subjects += 1;
        void serve(other, String(subjects));
      }
      await time.advance(begin + at + STEP_MS - time.now());
      most.ofToken = Math.max(most.ofToken, running);
      most.inAll = Math.max(most.inAll, running + fleet.running());
    }
    const answers = await time.settle(Promise.all(asked));
    const times = answers.filter((ms) => ms !== undefined);
    return {
      healthyMs: times,
      healthyFailed: answers.length - times.length,
      mostOfToken: most.ofToken,
      mostInAll: most.inAll,
      mostWaits: countMostWaits(from.log),
      logins: world.ledger.slice(from.logins).filter(({ connection }) => connection === other.name).length,
    };
  }

  /** Counts the most requests that waited at once for the other connection, from a place in the log on. */
  function countMostWaits(from: number): number {
    let [waiting, most] = [0, 0];
    log.forEach((happening, index) => {
      if (happening.kind !== 'wait' || happening.what.wait.connection !== other.name) return;
      if (happening.what.phase === 'waits') waiting += 1;
      if (happening.what.phase === 'ends') waiting -= 1;
      if (index >= from) most = Math.max(most, waiting);
    });
    return most;
  }

  for (const connection of [healthy, other]) await time.settle(serve(connection, 'system'));
  weather.upstream.hangs = other.name;
  return { world, run };
}

/** The value that so large a part of all is at most. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}
