import { slotId } from '../../functions/core/slot.ts';
import { isBackingOff, liveLease } from '../../functions/core/slot-record.ts';
import { act, call, request, type Stage, type Target } from './actions.ts';
import { historyOf } from './history.ts';
import { invariants } from './invariants.ts';
import { type Run, slotsOf, type Violation } from './run.ts';
import { calm, drawScenario, drawWeather, SKEW_BOUND_MS } from './scenario.ts';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';
import { createWorld, type TokenInstance } from './world.ts';

/** What one seed came to. */
export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly requests: number;
  readonly logins: number;
  readonly violations: readonly Violation[];
  /** What led to the first violation, in short lines; empty without one. */
  readonly history: readonly string[];
}

/** How long after the end of faults the last of what was delayed or frozen is done. */
const SETTLING_MS = 150_000;
const FAR_CLOCKS_SETTLE_MS = 3_600_000;

/**
 * Runs the production core through what one seed decides: who asks for what, what goes wrong and when. Then faults
 * end, the world must heal, and the invariants are held against all that happened. The same seed, the same run.
 */
export async function simulate(seed: number): Promise<SimulationReport> {
  const random = createSeededRandom(seed);
  const scenario = drawScenario(random);
  const { connections, skewOf, rules } = scenario;
  const world = createWorld({ seed: random.integer(1, 2 ** 31), connections, isShuffled: true, skewOf });
  for (const [name, own] of Object.entries(rules)) Object.assign(world.upstreams.get(name)?.rules ?? {}, own);

  const instances = Array.from({ length: scenario.tokenInstances }, (_, n) => world.startTokenInstance(`token-${n}`));
  const run: Run = {
    scenario,
    world,
    instances,
    proxies: [world.startProxyInstance('proxy-0'), world.startProxyInstance('proxy-1')],
    freezes: [],
    spoilt: new Set(),
    writesBySlot: new Map(),
    actions: [],
    requests: 0,
    unhealed: [],
    unforeseen: [],
    unanswered: 0,
  };
  const open = new Map<Promise<unknown>, Parameters<Stage['launch']>[0]>();
  const launch: Stage['launch'] = (instance, work) => {
    open.set(work, instance);
    void work.finally(() => open.delete(work));
  };
  const stage: Stage = { run, random, launch };

  try {
    drawWeather(world, random);
    for (let n = 0; n < scenario.actions; n += 1) {
      const at = world.time.now();
      run.actions.push({ at, what: await act(stage) });
      await world.time.advance(gapMs(random));
    }
    await heal(stage);
  } catch (error) {
    // Work without an end, or waits that nothing can end: as much a failure as a broken invariant.
    run.unforeseen.push(String(error));
  }
  run.unanswered = [...open.values()].filter((instance) => instance !== undefined && !instance.process.isDead()).length;

  run.writesBySlot = Map.groupBy(world.writes, ({ slot }) => slotId(slot));
  const violations = invariants.flatMap((invariant) => invariant(run)).sort((one, other) => one.at - other.at);
  return {
    seed,
    steps: world.time.steps(),
    faults: world.random.hits() + random.hits(),
    requests: run.requests,
    logins: world.ledger.filter(({ kind }) => kind === 'login').length,
    violations,
    history: violations[0] === undefined ? [] : historyOf(run, violations[0]),
  };
}

/** Actions come close together mostly, so that they meet in mid-flight. */
function gapMs(random: SeededRandom): number {
  const share = random.fraction();
  if (share < 0.4) return random.integer(0, 30);
  if (share < 0.8) return random.integer(0, 3_000);
  return random.integer(0, 40_000);
}

/** Ends all faults, then asks for every slot once its back-off is over: it must be had at the first try. */
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
    if (upstream?.rules.accepted.has(current)) continue;
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
    const now = () => instance.process.clock.now();
    const record = world.table.get(slot);
    const lease = record && liveLease(record, now());
    const waitMs =
      Math.max(lease?.until ?? 0, record !== undefined && isBackingOff(record, now()) ? record.notBefore : 0) - now();
    // An exclusive call is answered by a proxy, whose clock may be behind the one that the wait was read from.
    const skewMs = connection.tokensOverlap ? 0 : SKEW_BOUND_MS;
    await world.time.advance(Math.max(0, waitMs) + skewMs);
    const ask = () => world.time.settle(errorOfOne(stage, instance, { connection, slot }));
    let error = await ask();
    if (error !== undefined && !scenario.isWithinSkew) {
      // Times that a clock far off has written, or a copy that it dated, stay wrong for a while after it is set right.
      await world.time.advance(FAR_CLOCKS_SETTLE_MS);
      error = await ask();
    }
    if (error !== undefined) run.unhealed.push(`${slot.connection}/${slot.subject} is still answered ${error}`);
  }
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
