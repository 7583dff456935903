import { readTurns } from '../../functions/core/proxy/turns.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { type Applicant, admitLogin, isStopped, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import { act, call, request, type Stage, type Target } from './actions.ts';
import { type Checks, createChecks } from './checks.ts';
import { type Draws, freshDraws } from './draws.ts';
import { hang } from './hang.ts';
import type { UpstreamRequest } from './happenings.ts';
import { historyOf } from './history.ts';
import { violationsAtTheEnd } from './invariants.ts';
import { type Run, slotsOf, type Violation } from './run.ts';
import type { Sabotage } from './sabotage.ts';
import {
  calm,
  drawFurtherRules,
  drawFurtherWeather,
  drawScenario,
  drawWeather,
  faultKindsIn,
  keepFaults,
  SKEW_BOUND_MS,
} from './scenario.ts';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';
import { secretOf } from './upstream-accounts.ts';
import { createWorld, type TokenInstance, type World } from './world.ts';

/** The result of one seed. */
export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly requests: number;
  readonly logins: number;
  /** The violations at the step where the run stopped. `history` is about the first. */
  readonly violations: readonly Violation[];
  /** The happenings that led to the first violation, in short lines. Empty without one. */
  readonly history: readonly string[];
  /** Number of times that each way of an upstream to answer came about. */
  readonly reached: Readonly<Record<string, number>>;
  /** The number of actions begun. */
  readonly actions: number;
  /** The kinds of faults that any weather had. */
  readonly faultKinds: readonly string[];
}

/** The part of a seed's run to do. Default: all of it. */
export interface Kept {
  /** Actions by their number, from 0; the time between two passes all the same. */
  readonly actions?: ReadonlySet<number>;
  readonly faultKinds?: ReadonlySet<string>;
}

/** Options of a run. */
export interface SimulationOptions {
  readonly kept?: Kept;
  readonly draws?: Draws;
  readonly sabotage?: Sabotage;
  /** Stops the run at the first step that breaks an invariant. Default: true. */
  readonly stopsWhenBroken?: boolean;
  /** Receives the run when it has ended. */
  readonly onEnd?: (run: Run) => void;
}

/** The parts of a run that draw by themselves: before it, each action, the time after each, and healing. */
const parts = { beginning: -1, action: (n: number) => 2 * n, gap: (n: number) => 2 * n + 1, healing: -2 };
/** Tells the stream of upstreams that hang apart from the world's. */
const HANGING = 1_000_000_007;
/** The time after the end of faults until everything delayed or frozen is done. */
const SETTLING_MS = 150_000;
/** The greatest clock difference, 120 s either way, plus the minute in which a token is too young to be renewed. */
const FAR_CLOCKS_SETTLE_MS = 300_000;
/** The longest that another may have the right to send a refresh token, or a new version of it goes unseen. */
const OTHER_SENDS_MS = 30_000;
/** The most that are put right one after the other: a refresh token, clocks, a token issued again, another at it. */
const ROUNDS = 8;

/**
 * Runs the production core through what one seed decides: who asks for what, what goes wrong and when. Then faults
 * end, and the world must heal. After every step the invariants are held against what that step added to the log; the
 * first that breaks one is the last. The same seed, the same run.
 */
export async function simulate(
  seed: number,
  { kept = {}, draws = freshDraws, sabotage = {}, stopsWhenBroken = true, onEnd }: SimulationOptions = {},
): Promise<SimulationReport> {
  draws.begin(parts.beginning);
  const random = createSeededRandom(seed, draws.stream(seed));
  const scenario = drawScenario(random, seed);
  const { connections, skewOf, rules } = scenario;
  const hanging = createSeededRandom(seed + HANGING, draws.stream(seed + HANGING));
  const mayHang = hanging.fraction() < 0.25;
  const mostWaits = mayHang ? hanging.pick([undefined, 1, 2, 2]) : undefined;
  let checks: Checks | undefined;
  const world = createWorld({
    seed: random.integer(1, 2 ** 31),
    connections,
    isShuffled: true,
    skewOf,
    draws,
    sabotage,
    mostWaits,
    onQuiet() {
      checks?.look();
      if (stopsWhenBroken && broken.length > 0) throw new Error('An invariant is broken.');
    },
  });
  for (const [name, own] of Object.entries(rules)) {
    const upstream = world.upstreams.get(name);
    if (upstream !== undefined) drawFurtherRules(Object.assign(upstream.rules, own), world);
  }
  for (const { grants } of world.upstreams.values())
    if (grants !== undefined)
      Object.assign(grants.rules, { graceMs: scenario.graceMs ?? 0, usesWithoutNext: scenario.usesWithoutNext ?? 0 });

  const instances = Array.from({ length: scenario.tokenInstances }, (_, n) => world.startTokenInstance(`token-${n}`));
  const run: Run = {
    scenario,
    mostWaits,
    world,
    instances,
    proxies: [world.startProxyInstance('proxy-0'), world.startProxyInstance('proxy-1')],
    freezes: [],
    actions: [],
    faultKinds: new Set(),
    requests: 0,
    unhealed: [],
    unforeseen: [],
    unanswered: 0,
  };
  checks = createChecks(run);
  const { violations: broken } = checks;
  const open = new Map<Promise<unknown>, Parameters<Stage['launch']>[0]>();
  const launch: Stage['launch'] = (instance, work) => {
    open.set(work, instance);
    void work.finally(() => open.delete(work));
  };
  const stage: Stage = { run, random, launch, changeWeather };

  function changeWeather(): string {
    const drawn = drawWeather(world, random);
    drawFurtherWeather(world);
    for (const kind of faultKindsIn(world.weather)) run.faultKinds.add(kind);
    if (kept.faultKinds !== undefined) keepFaults(world.weather, kept.faultKinds);
    return drawn;
  }

  let done = 0;
  try {
    changeWeather();
    for (let n = 0; n < scenario.actions; n += 1) {
      draws.begin(parts.action(n));
      if (kept.actions?.has(n) ?? true) {
        done += 1;
        await act(stage);
      }
      draws.begin(parts.gap(n));
      await world.time.advance(gapMs(random));
      if (mayHang && hanging.fraction() < 0.15) await hang(stage, hanging);
    }
    draws.begin(parts.healing);
    await heal(stage);
    run.unanswered = [...open.values()].filter((by) => by !== undefined && !by.process.isDead()).length;
  } catch (error) {
    // Work without an end, or waits that nothing can end: as much a failure as a broken invariant.
    if (!stopsWhenBroken || broken.length === 0) run.unforeseen.push(String(error));
  }

  onEnd?.(run);
  const violations = [...broken, ...violationsAtTheEnd(run)];
  return {
    seed,
    steps: world.time.steps(),
    faults: world.random.hits() + random.hits(),
    requests: run.requests,
    logins: world.ledger.filter(({ kind }) => kind === 'login').length,
    violations,
    history: violations[0] === undefined ? [] : historyOf(run, violations[0]),
    reached: countReached(world),
    actions: done,
    faultKinds: [...run.faultKinds],
  };
}

/** Counts what the upstreams did that a broker may judge wrongly. */
function countReached({ ledger, upstreams }: World): Readonly<Record<string, number>> {
  const count = (isOne: (request: UpstreamRequest) => boolean) => ledger.filter(isOne).length;
  const rules = [...upstreams.values()].map((upstream) => upstream.rules);
  return {
    blocked: count(({ kind, fault }) => kind === 'login' && fault === 'blocked'),
    reissued: [...upstreams.values()].reduce(
      (sum, { issued }) => sum + issued.length - new Set(issued.map(({ hash }) => hash)).size,
      0,
    ),
    strangers: count(({ refused }) => refused === 'subject'),
    wrong: count(({ refused }) => refused === 'credential'),
    slidesAlone: count(({ kind, backOff }) => kind === 'slide' && backOff !== undefined),
    wrongDates: rules.filter(({ says, dateOffsetMs }) => says === 'exp_and_date' && dateOffsetMs !== 0).length,
  };
}

/** Actions come close together mostly, so that they meet in mid-flight. */
function gapMs(random: SeededRandom): number {
  const share = random.fraction();
  if (share < 0.4) return random.integer(0, 30);
  if (share < 0.8) return random.integer(0, 3_000);
  return random.integer(0, 40_000);
}

/** Ends all faults, then asks for every slot once after its back-off. The first try must succeed. */
async function heal(stage: Stage): Promise<void> {
  const { run } = stage;
  const { world, scenario, instances } = run;
  calm(world.weather);
  scenario.endFarOffClocks();
  for (const { process } of [...instances, ...run.proxies, ...world.fleet.instances]) {
    process.thaw();
    process.crashAfter(undefined);
    process.skewMs = Math.min(Math.max(process.skewMs, 0), SKEW_BOUND_MS);
  }
  for (const connection of scenario.connections) {
    const upstream = world.upstreams.get(connection.name);
    upstream?.unlock();
    const current = world.vault.current(connection.secret)?.value.reveal() ?? '';
    if (upstream?.grants !== undefined || upstream?.rules.accepted.has(current)) continue;
    upstream?.rules.accepted.add('mended');
    world.vault.rotate(connection.secret, 'mended');
  }
  run.actions.push({ at: world.time.now(), what: 'faults end' });
  await world.time.advance(SETTLING_MS);
  for (const { process } of world.fleet.instances) {
    process.thaw();
    process.crashAfter(undefined);
  }
  // Logins that were under way when faults ended may have been the last wrong ones that the upstream bore with.
  for (const upstream of world.upstreams.values()) upstream.unlock();

  for (const { connection, slot } of slotsOf(run)) {
    const [instance] = instances;
    if (instance === undefined) return;
    // By the clock of the instance that answers, or the slowest if several may.
    const clocks = (connection.tokensOverlap ? [instance] : run.proxies).map(({ process }) => process.clock);
    const now = Math.min(...clocks.map((clock) => clock.now()));
    const record = world.table.get(slot);
    const waiting = readTurns(record?.turns, now).line.map((ticket) => ticket.until);
    const until = Math.max(record?.lease?.until ?? 0, record?.notBefore ?? 0, ...waiting);
    await world.time.advance(Math.max(0, until - now));
    if (world.upstreams.get(connection.name)?.rules.unknown.has(slot.subject)) continue;
    // The clock of `mint` may be behind that of whoever answers.
    const earliest = () => Math.min(...clocks.map((clock) => clock.now())) - SKEW_BOUND_MS;
    await clearRefusals(stage, { connection, slot }, earliest());
    await world.time.advance(heldBackMs(stage, { connection, slot }, earliest()));
    const ask = () => world.time.settle(errorOfOne(stage, instance, { connection, slot }));
    let error = await ask();
    const { reissues = false } = world.upstreams.get(connection.name)?.rules ?? {};
    for (let round = 0; round < ROUNDS && error !== undefined; round += 1) {
      const isRemedied = connection.keptSecret !== undefined && (await remedy(stage, connection, error));
      if (!isRemedied && !reissues) break;
      // A slot that found another at it backs off too; a token that is issued again is until it has ended.
      const { notBefore = 0, token } = world.table.get(slot) ?? {};
      const freeAt = Math.max(notBefore, reissues ? (token?.refreshAt ?? 0) + 1 : 0);
      await world.time.advance(Math.max(0, freeAt - earliest()));
      error = await ask();
    }
    if (error !== undefined && !scenario.isWithinSkew) {
      // A date set by a clock far off looks too young, or too old, until true time reaches it.
      await world.time.advance(FAR_CLOCKS_SETTLE_MS);
      error = await ask();
    }
    if (error !== undefined) run.unhealed.push(`${slot.connection}/${slot.subject} is still answered ${error}`);
  }
}

/** Does what ends an error where the credential rotates; false where that alone is none's. */
async function remedy({ run }: Stage, connection: Connection, error: string): Promise<boolean> {
  const { world, scenario } = run;
  const { grants } = world.upstreams.get(connection.name) ?? {};
  const isSpent = error === 'reauthorization_required' && grants !== undefined;
  // A person consents again.
  if (isSpent) world.vault.rotate(connection.secret, secretOf(grants.consent()));
  const isAtIt = error === 'refresh_in_progress';
  if (!isSpent && !isAtIt && scenario.isWithinSkew) return false;
  await world.time.advance(scenario.isWithinSkew ? OTHER_SENDS_MS : FAR_CLOCKS_SETTLE_MS);
  return true;
}

function applicantOf(world: World, { connection, slot }: Target): Applicant {
  const secretVersion = world.vault.current(connection.secret)?.versionId ?? '';
  return { secretVersion, isSystem: slot.subject === SYSTEM, hasSystem: connection.subjects.system };
}

/** Does what an operator must where a good version was refused to users whom the upstream does not know. */
async function clearRefusals({ run: { world } }: Stage, { connection, slot }: Target, now: number): Promise<void> {
  const logins = world.table.logins(connection.name) ?? NO_LOGINS;
  const isRefused = isStopped(logins, applicantOf(world, { connection, slot }), now);
  const known = world.table.all().find((each) => each.slot.connection === connection.name);
  if (!isRefused || known === undefined) return;
  await world.time.settle(world.purge({ connection, slot: known.slot, caller: 'operator', requestId: 'purge' }));
}

/** How long failed logins of its connection still hold a slot back. */
function heldBackMs({ run: { world }, random }: Stage, { connection, slot }: Target, now: number): number {
  const applicant = applicantOf(world, { connection, slot });
  const login = {
    ...applicant,
    id: 'heal',
    subject: slot.subject,
    isEvidence: applicant.isSystem,
    until: now,
    limit: undefined,
  };
  const logins = world.table.logins(connection.name) ?? NO_LOGINS;
  const probingMs = Math.max(0, (logins.probe?.until ?? 0) - now);
  const admission = admitLogin(logins, login, now + probingMs, random);
  return admission.may === 'begin later' ? admission.at - now : probingMs;
}

/** Asks once, by the way that the connection has; gives what went wrong, if anything did. */
async function errorOfOne(stage: Stage, instance: TokenInstance, target: Target): Promise<string | undefined> {
  const { run } = stage;
  if (!target.connection.tokensOverlap) {
    const status = await call(stage, target);
    return status === 200 ? undefined : String(status);
  }
  const before = run.world.answers.length;
  await request(stage, instance, target);
  const answers = run.world.answers
    .slice(before)
    .filter(({ request: { slot } }) => slot.subject === target.slot.subject);
  return answers.at(-1)?.error;
}
