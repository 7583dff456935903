import { readTurns } from '../../functions/core/proxy/turns.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import { waitLimitMs } from '../../functions/core/slot/lease.ts';
import { changeLogins, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import { createMemoryTable } from '../simulation/memory-table.ts';
import { createFunctions, pickLastButOne, type Stage } from './functions.ts';
import { type Answer, type Call, FAULTS, type Fault, type Plan, type Process, type Role } from './plan.ts';
import { createProperties } from './properties.ts';

/** One way to go on. */
export interface Choice {
  readonly what: string;
  readonly fault?: Fault | undefined;
  readonly act: () => void;
}

export type SmallWorld = ReturnType<typeof createSmallWorld>;

const START = 1_800_000_000_000;
/** With more calls than this, a process is taken for one that never ends. */
const MOST_CALLS = 60;
/** Longest time that any function works. */
const LONGEST_PAUSE_MS = 30_000;

/** Creates the world of a plan: production's functions on one slot, where each call of a port waits for the search. */
export function createSmallWorld(given: Plan, alter: (change: SlotChange) => SlotChange = (change) => change) {
  // Only with its path can a connection slide. The fingerprint stays, and with it the slot.
  const plan = given.slides === true ? given : { ...given, connection: { ...given.connection, settings: {} } };
  const slot = slotOf(plan.connection, 'system');
  const processes: Process[] = [];
  const left = new Map<Fault | undefined, number>(FAULTS.map((fault) => [fault, plan.faults[fault] ?? 0]));
  const now = () => time;
  const properties = createProperties(plan, now, processes);
  let time = plan.start?.at ?? START;
  let acting: Process | undefined;
  const table = createMemoryTable({
    now,
    onWrite(write) {
      for (const each of processes) each.hasNews = true;
      if (acting !== undefined) properties.written(acting, write);
    },
  });
  if (plan.start !== undefined) table.set('spoil', slot, plan.start.record);
  if (plan.start?.logins !== undefined)
    table.writeLogins(slot.connection, changeLogins(NO_LOGINS, plan.start.logins, plan.start.at));

  function call<T>(process: Process, what: string, answers: () => readonly Answer<T>[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const number = process.seen.push('') - 1;
      if (number > MOST_CALLS) properties.found('14', `${process.name} goes on and on`);
      // It is only ever resolved with one of these answers.
      process.pending.push({ number, what, answers, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  function start(name: string, role: Process['role'], run: (process: Process) => Promise<unknown>): Process {
    const process: Process = { name, role, pending: [], seen: [], hasNews: true, state: 'alive' };
    const end = (outcome: unknown) => {
      Object.assign(process, { state: 'ended', outcome });
      properties.ended(process);
    };
    // Two processes of one role are alike: the order in which they begin makes no difference.
    const earlier = role === 'mint' ? undefined : processes.find((each) => each.role === role && !hasBegun(each));
    const begin = { give: () => properties.started(process, table.get(slot)) };
    void call(process, 'start', () => (earlier === undefined || hasBegun(earlier) ? [begin] : []))
      .then(() => run(process))
      .then(end, end);
    processes.push(process);
    return process;
  }

  const stage: Stage = { plan, table, properties, now, alter, call, start };
  const functions = createFunctions(stage, slot);
  const startAll = (roles: readonly Role[] = []) => {
    for (const role of roles) functions.start(role, `${role} ${processes.length + 1}`);
  };
  let { later } = plan;
  startAll(plan.roles);

  function offerAnswer(process: Process, call: Call, { what, fault, give }: Answer<unknown>): Choice {
    return {
      what: `${process.name}: ${call.what}${what === undefined ? '' : `, ${what}`}`,
      fault,
      act() {
        process.pending.splice(process.pending.indexOf(call), 1);
        acting = process;
        try {
          const value = give();
          process.seen[call.number] = `${digest(value)} ${time - START}`;
          call.resolve(value);
        } catch (error) {
          process.seen[call.number] = `${error} ${time - START}`;
          call.reject(error);
        }
      },
    };
  }

  function offerTime(to: number, fault?: Fault): Choice {
    const act = () => {
      time = to;
    };
    return { what: `time passes: ${to - time} ms`, fault, act };
  }

  function offerCrash(process: Process): Choice {
    const outcome = { kind: 'function_error' };
    const act = () => void Object.assign(process, { state: 'dead', outcome });
    return { what: `${process.name} crashes`, fault: 'crash', act };
  }

  /** Time can pass to the end of lease and back-off, or to the item's, and the store deletes it. */
  function listPauses({ lease, notBefore, renewalNotBefore = 0, ttlSeconds }: SlotRecord): Choice[] {
    const freeAt = Math.max(lease?.until ?? 0, notBefore, renewalNotBefore);
    const endsAt = Math.max(ttlSeconds * 1000, time);
    const isSoon = endsAt - time < LONGEST_PAUSE_MS;
    const act = () => {
      time = endsAt;
      properties.deleted();
      table.expire(slot);
    };
    const deletion = { what: `the item is deleted after ${endsAt - time} ms`, fault: 'deletion' as const, act };
    return [...(freeAt < time ? [] : [offerTime(freeAt + 1, 'time')]), ...(isSoon ? [deletion] : [])];
  }

  /** Lists every way to go on, with the faults that are left. */
  function listChoices(): readonly Choice[] {
    const alive = processes.filter(({ state }) => state === 'alive');
    const record = table.get(slot);
    const all = alive.flatMap((process) =>
      process.pending.flatMap((call) => call.answers().map((each) => offerAnswer(process, call, each))),
    );
    // If all of them wait in vain, time passes until they give up.
    if (alive.length > 0 && all.every(({ fault }) => fault !== undefined))
      all.push(offerTime(time + waitLimitMs(plan.connection)));
    all.push(...alive.filter(hasBegun).map(offerCrash));
    if (record !== undefined) all.push(...listPauses(record));
    return all.filter(({ fault }) => fault === undefined || (left.get(fault) ?? 0) > 0);
  }

  /** Makes one choice and lets every function run up to its next call. */
  async function take({ act, fault }: Choice): Promise<void> {
    if (fault !== undefined) left.set(fault, (left.get(fault) ?? 0) - 1);
    act();
    acting = undefined;
    if (fault === 'time' || fault === 'deletion') {
      startAll(later);
      later = [];
    }
    properties.stepped(table.get(slot));
    await new Promise((resolve) => process.nextTick(resolve));
  }

  return {
    listChoices,
    take,
    broken: properties.broken,
    record: () => table.get(slot),
    now,
    isOver: () => processes.every(({ state }) => state !== 'alive'),

    /**
     * Returns all that can matter from here on: equal keys, equal futures. A process is determined by the answers it
     * got and when it got them. Their order does not count if its calls were made side by side: it waits for all of
     * them, and only one can fail. Of a process that has ended only the outcome counts.
     */
    computeKey(): string {
      const each = processes.map(({ name, role, state, seen, hasNews, pending, outcome }) => {
        if (state === 'alive') return [name, seen, hasNews];
        return [name, state, pending.map(({ what }) => what), role === 'mint' ? outcome : 0];
      });
      const lagging = left.get('stale read') === 0 ? 0 : digest(table.getStale(slot, Infinity, pickLastButOne));
      const held = [digest(table.get(slot)), lagging, digest(table.logins(slot.connection))];
      return JSON.stringify([time, ...left.values(), held, properties.listState(), functions.listState(), each]);
    },

    /** Ends all faults, lets lease, back-off and line end, and asks once more. That must succeed (invariant 18). */
    async heal(): Promise<void> {
      left.clear();
      const { lease, notBefore = 0, turns } = table.get(slot) ?? {};
      const waiting = readTurns(turns, time).line.map(({ until }) => until);
      time = Math.max(time, lease?.until ?? 0, notBefore, ...waiting) + 1;
      functions.renewSecret();
      const next = functions.start(plan.connection.tokensOverlap ? 'get' : 'call', 'the next');
      for (let [first] = listChoices(); first !== undefined; [first] = listChoices()) {
        await take(first);
        if (properties.broken.length > 0) return;
      }
      const { outcome } = next;
      if (outcome instanceof Error || outcome === undefined) properties.found('18', `the next ends with ${outcome}`);
    },
  };
}

function hasBegun({ seen }: Process): boolean {
  return seen[0] !== '';
}

const digests = new WeakMap<object, string>();

/** Returns an answer as text, without what is sealed. */
function digest(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const known = digests.get(value);
  if (known !== undefined) return known;
  const said = JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? 0 : part));
  digests.set(value, said);
  return said;
}
