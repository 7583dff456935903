import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { applyChange, type Change } from '../../functions/core/slot/change.ts';
import { type Logins, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import {
  everyChange,
  everyKeptChange,
  everyLoginsWrite,
  everyPermitChange,
} from '../functions/core/slot/every-change.ts';
import type { Plan } from '../search/plan.ts';
import { plans } from '../search/plans.ts';
import { search } from '../search/search.ts';
import { simulate } from '../simulation/simulate.ts';
import { listParts, removePart, sabotagePart } from './parts.ts';

/** A check that notices the loss of a part: a small world by its name, a seed of the simulation, or `WHOLE_RECORD`. */
export type Killer = string | number;

/** The check that a write of a connection's logins leaves the very record that was decided on. */
const WHOLE_RECORD = 'whole record';
/** How far seeds are tried. */
const SEEDS = 20_000;

/** The table of killers, as `npm run test:mutants -- --record` writes it. */
export const KILLERS_FILE = new URL('killers.json', import.meta.url);

/** Members that may be absent. */
const NO_MEMBERS = { probe: undefined, timedOut: undefined, failedCandidate: undefined };

const partsOf = <R>(changes: Readonly<Record<string, readonly Change<R>[]>>) =>
  Object.values(changes).flatMap((shapes) => shapes.flatMap(listParts));

const loginsWrites = Object.values(everyLoginsWrite).flat();
const partsOfLogins = loginsWrites.flatMap(({ change }) => listParts(change));
const partsOfKept: ReadonlySet<string> = new Set(partsOf(everyKeptChange));
/** No small world has a limit on waits. */
const partsOfPermits: ReadonlySet<string> = new Set(partsOf(everyPermitChange));

/** Lists every part of every change. */
export function listAllParts(): readonly string[] {
  return [...new Set([...partsOf(everyChange), ...partsOfLogins, ...partsOfKept, ...partsOfPermits])];
}

/** Reads the killers by the names of their parts. */
export function readKillers(): ReadonlyMap<string, Killer> {
  // This program writes it.
  return new Map(Object.entries(JSON.parse(readFileSync(KILLERS_FILE, 'utf8')) as Record<string, Killer>));
}

/**
 * Finds a check that notices the loss of a part, and tries the known one first. A seed means other things after each
 * change of the core, so the next that notices takes its place. Worlds are only looked through if `isThorough`.
 */
export async function findKiller(
  part: string,
  known: Killer | undefined,
  isThorough: boolean,
): Promise<Killer | undefined> {
  if (known !== undefined && (await kills(known, part))) return known;
  if (isThorough && !partsOfKept.has(part) && !partsOfPermits.has(part)) {
    const smallestFirst = plans.toSorted((one, other) => sizeOf(one) - sizeOf(other));
    for (const { name } of smallestFirst) if (await kills(name, part)) return name;
    if (await kills(WHOLE_RECORD, part)) return WHOLE_RECORD;
  }
  if (typeof known === 'string' && !isThorough) return undefined;
  // Seeds of a credential that rotates are negative.
  const sign = partsOfKept.has(part) ? -1 : 1;
  for (let n = 1; n <= SEEDS; n += 1) if (await kills(sign * n, part)) return sign * n;
  return undefined;
}

async function kills(killer: Killer, part: string): Promise<boolean> {
  if (typeof killer === 'number') return (await isBroken(killer, part)) && !(await isBroken(killer));
  if (killer === WHOLE_RECORD) return loginsWrites.some((write) => !leavesDecided(write, part));
  const plan = plans.find(({ name }) => name === killer);
  return plan !== undefined && (await search(plan, { alter: (change) => removePart(change, part) })).history.length > 0;
}

/** Reports whether a write of logins leaves what was decided on; both its `revision` and its end go on from what was there. */
export function leavesDecided({ before, next, change }: (typeof loginsWrites)[number], without?: string): boolean {
  const left = applyChange(without === undefined ? change : removePart(change, without), before, NO_LOGINS);
  const { ttlSeconds = 0 } = change.set ?? {};
  const decided: Logins = { ...next, revision: before.revision + 1, ttlSeconds };
  return isDeepStrictEqual({ ...NO_MEMBERS, ...left }, { ...NO_MEMBERS, ...decided });
}

async function isBroken(seed: number, part?: string): Promise<boolean> {
  const sabotage = part === undefined ? {} : sabotagePart(part);
  return (await simulate(seed, { sabotage })).violations.length > 0;
}

function sizeOf({ roles, later = [], faults }: Plan): number {
  return roles.length + later.length + Object.values(faults).reduce((sum, times) => sum + times, 0);
}
