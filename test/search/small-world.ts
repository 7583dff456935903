import { readTurns } from '../../functions/core/proxy/turns.ts';
import { leaseLengthMs, waitLimitMs } from '../../functions/core/slot/lease.ts';
import { changeLogins, FAILED_COUNT_MS, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import { type Slot, SYSTEM, slotOf } from '../../functions/core/slot/slot.ts';
import { createMemoryTable } from '../simulation/memory-table.ts';
import { createFunctions, pickLastButOne, type Stage } from './functions.ts';
import { createGateProperties } from './gate-properties.ts';
import { type Answer, type Broken, type Call, FAULTS, type Fault, type Plan, type Process, type Role } from './plan.ts';
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

/** Time that passes at once if the slots wait for each other. */
const SHORT_PAUSE_MS = 1_100;
const NOT_BROKEN: Broken = { alter: (change) => change, blind: (logins) => logins };

/** Creates the world of a plan: production's functions on its slots, where each call of a port waits for the search. */
export function createSmallWorld(given: Plan, broken: Partial<Broken> = {}) {
  // Only with its path can a connection slide. The fingerprint stays, and with it the slot.
  const plan = given.slides === true ? given : { ...given, connection: { ...given.connection, settings: {} } };
  const { subjects = [] } = plan;
  const first = slotOf(plan.connection, SYSTEM);
  const others = [...new Set(subjects)].filter((subject) => subject !== SYSTEM);
  const slots = [first, ...others.map((subject) => slotOf(plan.connection, subject))];
  const processes: Process[] = [];
  const left = new Map<Fault | undefined, number>(FAULTS.map((fault) => [fault, plan.faults[fault] ?? 0]));
  const now = () => time;
  const broke: string[] = [];
  const found = (invariant: string, what: string) => void broke.push(`invariant ${invariant}: ${what}`);
  const checks = new Map(slots.map(({ subject }) => [subject, createProperties(plan, now, processes, found)]));
  const gate = createGateProperties(plan, now, found);
  let time = plan.start?.at ?? START;
  let acting: Process | undefined;
  const table = createMemoryTable({
    now,
    onWrite(write) {
      for (const each of processes) each.hasNews = true;
      if (acting !== undefined) propertiesOf(acting).written(acting, write);
    },
    onLogins(write) {
      if (acting !== undefined) gate.written(acting, write);
    },
  });
  const worked = subjects.length === 0 ? slots : slots.filter(({ subject }) => subjects.includes(subject));
  if (plan.start?.record !== undefined) for (const slot of worked) table.set('spoil', slot, plan.start.record);
  if (plan.start?.logins !== undefined)
    table.writeLogins(plan.connection.name, changeLogins(NO_LOGINS, plan.start.logins, plan.start.at));

  function propertiesOf({ slot }: { readonly slot: Slot }): ReturnType<typeof createProperties> {
    const own = checks.get(slot.subject);
    if (own === undefined) throw new Error('No process works on that slot.');
    return own;
  }

  function call<T>(process: Process, what: string, answers: () => readonly Answer<T>[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const number = process.seen.push('') - 1;
      if (number > MOST_CALLS) found('14', `${process.name} goes on and on`);
      // It is only ever resolved with one of these answers.
      process.pending.push({ number, what, answers, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  function start(own: Pick<Process, 'name' | 'role' | 'slot'>, run: (process: Process) => Promise<unknown>): Process {
    const { role, slot } = own;
    const process: Process = { ...own, pending: [], seen: [], hasNews: true, state: 'alive' };
    const properties = propertiesOf(process);
    const end = (outcome: unknown) => {
      Object.assign(process, { state: 'ended', outcome });
      properties.ended(process);
    };
    // Two processes of one role are alike: the order in which they begin makes no difference.
    const isAlike = (each: Process) => each.role === role && each.slot === slot && !hasBegun(each);
    const earlier = role === 'mint' ? undefined : processes.find(isAlike);
    const begin = { give: () => properties.started(process, table.get(slot)) };
    void call(process, 'start', () => (earlier === undefined || hasBegun(earlier) ? [begin] : []))
      .then(() => run(process))
      .then(end, end);
    processes.push(process);
    return process;
  }

  const onRenewal = (version: string) => {
    for (const each of checks.values()) each.renewed(version);
  };
  const how = { ...NOT_BROKEN, ...broken };
  const stage: Stage = { plan, table, propertiesOf, gate, now, broken: how, found, onRenewal, call, start };
  const functions = createFunctions(stage);
  let begun = 0;
  const startAll = (roles: readonly Role[] = []) => {
    for (const role of roles) {
      const subject = subjects[begun] ?? SYSTEM;
      begun += 1;
      const slot = slots.find((each) => each.subject === subject) ?? slotOf(plan.connection, subject);
      functions.start(role, `${role} ${processes.length + 1}`, slot);
    }
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
  function listPauses(slot: Slot, { lease, notBefore, renewalNotBefore = 0, ttlSeconds }: SlotRecord): Choice[] {
    const gatedUntil = subjects.length === 0 ? 0 : (table.logins(slot.connection)?.notBefore ?? 0);
    const freeAt = Math.max(lease?.until ?? 0, notBefore, renewalNotBefore, gatedUntil);
    const endsAt = Math.max(ttlSeconds * 1000, time);
    const isSoon = endsAt - time < LONGEST_PAUSE_MS;
    const act = () => {
      time = endsAt;
      propertiesOf({ slot }).deleted();
      table.expire(slot);
    };
    const deletion = { what: `the item is deleted after ${endsAt - time} ms`, fault: 'deletion' as const, act };
    return [...(freeAt < time ? [] : [offerTime(freeAt + 1, 'time')]), ...(isSoon ? [deletion] : [])];
  }

  /** Lists every way to go on, with the faults that are left. */
  function listChoices(): readonly Choice[] {
    const alive = processes.filter(({ state }) => state === 'alive');
    const all = alive.flatMap((process) =>
      process.pending.flatMap((call) => call.answers().map((each) => offerAnswer(process, call, each))),
    );
    // If all of them wait in vain, time passes until they give up.
    if (alive.length > 0 && all.every(({ fault }) => fault !== undefined))
      all.push(offerTime(time + (subjects.length === 0 ? waitLimitMs(plan.connection) : SHORT_PAUSE_MS)));
    all.push(...alive.filter(hasBegun).map(offerCrash));
    for (const slot of slots) {
      const record = table.get(slot);
      if (record !== undefined) all.push(...listPauses(slot, record));
    }
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
    for (const slot of slots) propertiesOf({ slot }).stepped(table.get(slot));
    gate.stepped(table.logins(plan.connection.name));
    await new Promise((resolve) => process.nextTick(resolve));
  }

  return {
    listChoices,
    take,
    broken: broke,
    record: () => table.get(first),
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
      const lags = left.get('stale read') !== 0;
      const held = slots.map((slot) => [
        digest(table.get(slot)),
        lags ? digest(table.getStale(slot, Infinity, pickLastButOne)) : 0,
        propertiesOf({ slot }).listState(),
      ]);
      const logins = [digest(table.logins(plan.connection.name)), gate.listState()];
      return JSON.stringify([time, ...left.values(), held, logins, functions.listState(), each]);
    },

    /**
     * Ends all faults, lets lease, back-off and line end, and asks once more. That must succeed (invariant 18). So must
     * all that was asked for beside an unproven version, where nothing went wrong.
     */
    async heal(): Promise<void> {
      const isCalm = subjects.length > 0 && Object.keys(plan.faults).length === 0;
      const unserved = processes.find(({ role, outcome }) => role === 'get' && outcome instanceof Error);
      if (isCalm && unserved !== undefined) found('18', `${unserved.name} ends with ${unserved.outcome}`);
      left.clear();
      const { lease, notBefore = 0, turns } = table.get(first) ?? {};
      const waiting = readTurns(turns, time).line.map(({ until }) => until);
      // So long as failed logins count there is none.
      const countsMs = subjects.length === 0 ? 0 : FAILED_COUNT_MS + leaseLengthMs(plan.connection);
      time = Math.max(time + countsMs, lease?.until ?? 0, notBefore, ...waiting) + 1;
      functions.renewSecret();
      const next = functions.start(plan.connection.tokensOverlap ? 'get' : 'call', 'the next', first);
      for (let [first] = listChoices(); first !== undefined; [first] = listChoices()) {
        await take(first);
        if (broke.length > 0) return;
      }
      const { outcome } = next;
      if (outcome instanceof Error || outcome === undefined) found('18', `the next ends with ${outcome}`);
    },
  };
}

function hasBegun({ seen }: Process): boolean {
  return seen[0] !== '';
}

const digests = new WeakMap<object, string>();

/** Returns an answer as text, without what is sealed, and without the time an attempt took: that sets pauses alone. */
function digest(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const known = digests.get(value);
  if (known !== undefined) return known;
  const said = JSON.stringify(value, (name, part: unknown) =>
    name === 'mintMs' || part instanceof Uint8Array ? 0 : part,
  );
  digests.set(value, said);
  return said;
}
