import type { Connection } from '../../functions/core/slot/connection.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import type { RotatingGrants } from './rotating-grants.ts';
import { type Run, slotsOf } from './run.ts';
import type { SeededRandom } from './seeded-random.ts';
import { secretOf } from './upstream-accounts.ts';
import type { TokenInstance } from './world.ts';

/** The surroundings of one action. */
export interface Stage {
  readonly run: Run;
  readonly random: SeededRandom;
  /** Draws the weather of the next while; gives it in words. */
  readonly changeWeather: () => string;
  /** Lets a request or a function run on its own; nobody waits for it here. */
  readonly launch: (instance: Pick<TokenInstance, 'process'> | undefined, work: Promise<unknown>) => void;
}

/** The slot that callers ask for. */
export interface Target {
  readonly connection: Connection;
  readonly slot: Slot;
}

/** The part of a function's 28 s that is left for a try. */
const TRY_MS = 23_000;

type Action = (stage: Stage) => Promise<string> | string;

/** The actions of a simulation, each with how often it comes relative to the others. */
const weighted: readonly (readonly [number, Action])[] = [
  [14, ask],
  [8, askTogether],
  [6, report],
  [3, askForLong],
  [8, callThrough],
  [6, sweep],
  [4, passTime],
  [4, passTimeToRefresh],
  [5, passTimeToTheEnd],
  [4, changeWeather],
  [2, purge],
  [3, tryOne],
  [3, rotate],
  [1, spoil],
  [2, expireItems],
  [2, endTokensEarly],
  [2, freezeInstance],
  [2, crashInstance],
  [1, persist],
];
const total = weighted.reduce((sum, [weight]) => sum + weight, 0);

/** Does one action that the seed decides on, and notes it in words: in its name, where the run is stopped meanwhile. */
export async function act(stage: Stage): Promise<void> {
  const action = drawAction(stage);
  const { actions, world } = stage.run;
  const at = world.time.now();
  let what = action.name;
  try {
    what = await action(stage);
  } finally {
    actions.push({ at, what });
  }
}

/** Draws an action. Where purges end tokens at the upstream, they come more often. */
function drawAction({ run, random }: Stage): Action {
  const hasLogout = run.scenario.connections.some(({ provider }) => 'logout' in provider);
  if (hasLogout && random.fraction() < 0.2) return purge;
  let left = random.integer(1, total);
  for (const [weight, action] of weighted) {
    left -= weight;
    if (left <= 0) return action;
  }
  throw new Error('there is always an action');
}

/** Starts one request; its answer is recorded by the world. */
export function request(
  { run, launch }: Stage,
  instance: TokenInstance,
  { connection, slot }: Target,
  wants: { readonly minTtlSeconds?: number; readonly rejectedHash?: string } = {},
): Promise<unknown> {
  const requestId = `request-${run.requests}`;
  run.requests += 1;
  const asked = instance.handOut({ connection, slot, caller: 'some-caller', requestId, ...wants });
  const settled = asked.catch(() => undefined);
  launch(instance, settled);
  return settled;
}

/** Callers of the proxy, who take turns where tokens do not overlap. */
const CALLERS = 3;

/** Has the proxy forward one call; gives the status of the answer, or what went wrong. */
export function call({ run, random, launch }: Stage, target: Target): Promise<number | string> {
  const proxy = run.proxies[random.integer(0, run.proxies.length - 1)];
  if (proxy === undefined) throw new Error('a scenario has no proxies');
  const requestId = `request-${run.requests}`;
  run.requests += 1;
  const caller = `caller-${run.requests % CALLERS}`;
  const called = proxy.call(target, requestId, caller).catch((error: unknown) => {
    if (!(error instanceof BrokerError)) {
      run.world.record('unforeseen', target.slot, { at: run.world.time.now(), what: `${requestId}: ${error}` });
    }
    return error instanceof BrokerError ? error.code : 'unforeseen';
  });
  launch(proxy, called);
  return called;
}

function callThrough(stage: Stage): string {
  const target = someSlot(stage);
  const count = stage.random.pick([1, 1, 4]);
  for (let n = 0; n < count; n += 1) void call(stage, target);
  return `${count} proxied calls for ${target.slot.connection}/${target.slot.subject}`;
}

function someSlot({ run, random }: Stage): Target {
  const slots = slotsOf(run);
  const found = slots[random.integer(0, slots.length - 1)];
  if (found === undefined) throw new Error('a scenario has no slots');
  return found;
}

function someInstance({ run, random }: Stage): TokenInstance {
  const found = run.instances[random.integer(0, run.instances.length - 1)];
  if (found === undefined) throw new Error('a scenario has no instances');
  return found;
}

function ask(stage: Stage): string {
  const target = someSlot(stage);
  const instance = someInstance(stage);
  void request(stage, instance, target);
  return `GET ${target.slot.connection}/${target.slot.subject} on ${instance.process.name}`;
}

function askTogether(stage: Stage): string {
  const target = someSlot(stage);
  const count = stage.random.integer(2, 8);
  for (let n = 0; n < count; n += 1) void request(stage, someInstance(stage), target);
  return `${count} GETs of ${target.slot.connection}/${target.slot.subject}`;
}

/** Reports a token dead: the last one handed out, mostly; or an earlier one, or none that ever was. */
function report(stage: Stage): string {
  const { run, random } = stage;
  const target = someSlot(stage);
  const hashes = run.world.answers.flatMap(({ handOut, request: { slot } }) =>
    handOut !== undefined && slot.subject === target.slot.subject && slot.connection === target.slot.connection
      ? [handOut.token.hash]
      : [],
  );
  const isLast = random.fraction() < 0.7;
  const rejectedHash = (isLast ? hashes.at(-1) : hashes[random.integer(0, hashes.length)]) ?? 'f'.repeat(64);
  const count = random.pick([1, 1, 3]);
  for (let n = 0; n < count; n += 1) void request(stage, someInstance(stage), target, { rejectedHash });
  return `${count} POSTs rejecting ${rejectedHash.slice(0, 12)} of ${target.slot.connection}/${target.slot.subject}`;
}

function askForLong(stage: Stage): string {
  const target = someSlot(stage);
  const minTtlSeconds = stage.random.pick([30, 100, 500, 3_000]);
  void request(stage, someInstance(stage), target, { minTtlSeconds });
  return `GET ${target.slot.connection}/${target.slot.subject} with min_ttl=${minTtlSeconds}`;
}

function sweep({ run, launch }: Stage): string {
  launch(
    undefined,
    run.world.sweep().catch(() => undefined),
  );
  return 'a sweep begins';
}

async function passTime({ run, random }: Stage): Promise<string> {
  const ms = random.pick([
    random.integer(1_000, 20_000),
    random.integer(10_000, 120_000),
    random.integer(60_000, 1_800_000),
    random.integer(60_000, 50_000_000),
  ]);
  await run.world.time.advance(ms);
  return `${ms} ms pass`;
}

/** Lets time pass until a token is about to be due for its refresh, and has the proxy take up its slides there. */
async function passTimeToRefresh(stage: Stage): Promise<string> {
  const { run, random } = stage;
  const target = someSlot(stage);
  const { time, table } = run.world;
  const ms = (table.get(target.slot)?.token?.refreshAt ?? 0) - time.now() + random.integer(-1_000, 10_000);
  if (ms <= 0) return 'nothing';
  await time.advance(ms);
  const calls = random.integer(0, 3);
  for (let n = 0; n < calls; n += 1) void call(stage, target);
  return `${ms} ms pass, to the refresh of ${target.slot.connection}/${target.slot.subject}, then ${calls} proxied calls`;
}

/** Lets time pass until a token is about to be usable no more by an instance's clock, and asks for it there. */
async function passTimeToTheEnd(stage: Stage): Promise<string> {
  const { run, random } = stage;
  const target = someSlot(stage);
  const instance = someInstance(stage);
  const { time, table } = run.world;
  const { connection, slot } = target;
  const endsAt = (table.get(slot)?.token?.usableUntil ?? 0) - connection.minTtlSeconds * 1000 - instance.process.skewMs;
  const ms = endsAt - time.now() - random.integer(-50, 400);
  if (ms <= 0) return 'nothing';
  await time.advance(ms);
  void request(stage, instance, target);
  return `${ms} ms pass, to the end of ${slot.connection}/${slot.subject}, then a GET on ${instance.process.name}`;
}

function changeWeather(stage: Stage): string {
  return `the weather is ${stage.changeWeather()}`;
}

function purge(stage: Stage): string {
  const { connection, slot } = someSlot(stage);
  const purging = stage.run.world.purge({ connection, slot, caller: 'operator', requestId: 'purge' });
  stage.launch(
    undefined,
    purging.catch(() => undefined),
  );
  return `DELETE ${slot.connection}/${slot.subject}`;
}

/** An operator tries a login, which `mint` makes as any other; one in three with a candidate, which may be wrong. */
function tryOne(stage: Stage): string {
  const { run, launch } = stage;
  const { connection, slot } = someSlot(stage);
  const { operators, tryLogin, record, time, vault, upstreams } = run.world;
  const deadline = operators.clock.monotonic() + TRY_MS;
  // Nothing is drawn for it, so that a seed means the same up to here.
  const candidate = connection.keptSecret === undefined && run.actions.length % 3 === 0;
  const value = `candidate-${run.actions.length}`;
  if (candidate) vault.propose(connection.secret, value);
  if (candidate && run.actions.length % 2 === 0) upstreams.get(connection.name)?.rules.accepted.add(value);
  const tried = tryLogin({ connection, slot, candidate, caller: 'operator', requestId: 'try', deadline });
  launch(
    undefined,
    tried.catch((error: unknown) => {
      if (!(error instanceof BrokerError)) record('unforeseen', slot, { at: time.now(), what: `a try: ${error}` });
    }),
  );
  return `a try of ${slot.connection}/${slot.subject}${candidate ? ` with ${value}` : ''}`;
}

/** Gives the secret a new version, right or wrong, with the upstream following it or not, and an event or none. */
function rotate(stage: Stage): string {
  const { run, random } = stage;
  const { connection } = someSlot(stage);
  const rules = run.world.upstreams.get(connection.name)?.rules;
  const grants = run.world.upstreams.get(connection.name)?.grants;
  if (grants !== undefined) return consent(stage, connection, grants);
  const isRight = random.fraction() < 0.5;
  const value = `${isRight ? 'right' : 'wrong'}-${run.actions.length}`;
  if (random.fraction() < 0.5) rules?.accepted.clear();
  if (isRight) rules?.accepted.add(value);
  const version = run.world.vault.rotate(connection.secret, value);
  const hasEvent = random.fraction() < 0.5;
  if (hasEvent) {
    // An event comes once at least.
    const times = run.world.further.fraction() < 0.3 ? 2 : 1;
    for (let n = 0; n < times; n += 1) {
      const rotating = run.world.rotate(connection, version);
      stage.launch(
        undefined,
        rotating.catch(() => undefined),
      );
    }
  }
  return `the secret of ${connection.name} becomes ${version} (${value})${hasEvent ? ', with an event' : ''}`;
}

/** Gives the secret the refresh token of a new consent, one that is wrong, or the old one beside another client secret. */
function consent({ run, random }: Stage, connection: Connection, grants: RotatingGrants): string {
  const { vault } = run.world;
  const current = vault.current(connection.secret)?.value.reveal() ?? '{}';
  const value = random.pick([
    secretOf(grants.consent()),
    secretOf(`grant-of-nobody-${run.actions.length}.0`),
    JSON.stringify({ ...JSON.parse(current), clientSecret: `right-${run.actions.length}` }),
  ]);
  return `the secret of ${connection.name} becomes ${vault.rotate(connection.secret, value)} (${value})`;
}

function spoil(stage: Stage): string {
  const { run } = stage;
  const { slot } = someSlot(stage);
  const record = run.world.table.get(slot);
  if (record?.token === undefined) return 'nothing';
  const ciphertext = Uint8Array.from(record.token.ciphertext, (byte, index) => (index === 30 ? byte ^ 1 : byte));
  run.world.table.set('spoil', slot, { ...record, token: { ...record.token, ciphertext } });
  return `the item of ${slot.connection}/${slot.subject} is tampered with`;
}

function expireItems({ run }: Stage): string {
  const gone = slotsOf(run).filter(({ slot }) => run.world.table.expire(slot));
  return `the store deletes ${gone.length} items past their time`;
}

function endTokensEarly(stage: Stage): string {
  const { slot } = someSlot(stage);
  const upstream = stage.run.world.upstreams.get(slot.connection);
  upstream?.revoke(slot.subject);
  const endsGrants = upstream?.grants !== undefined && stage.random.fraction() < 0.5;
  if (endsGrants) upstream?.grants?.end();
  return `the upstream ends the ${endsGrants ? 'grants' : 'tokens'} of ${slot.connection}/${slot.subject}`;
}

function freezeInstance(stage: Stage): string {
  const { run, random } = stage;
  const { process } = someInstance(stage);
  if (process.isFrozen()) return 'nothing';
  const from = run.world.time.now();
  const forMs = random.integer(500, 60_000);
  process.freeze();
  run.freezes.push({ instance: process.name, from, to: from + forMs });
  void run.world.time.after(forMs).then(() => process.thaw());
  return `${process.name} freezes for ${forMs} ms`;
}

function crashInstance(stage: Stage): string {
  const { run, random } = stage;
  const index = random.integer(0, run.instances.length - 1);
  const dying = run.instances[index];
  dying?.process.crashAfter(random.integer(0, 5));
  run.instances[index] = run.world.startTokenInstance(`token-${run.actions.length + 10}`);
  return `${dying?.process.name} is about to crash`;
}

/** A caller that goes on asking, as often as it makes sense, for an hour or two. */
async function persist(stage: Stage): Promise<string> {
  const { run, random } = stage;
  if (random.fraction() < 0.5) return 'nothing';
  const target = someSlot(stage);
  const gapMs = random.integer(20_000, 90_000);
  const until = run.world.time.now() + random.integer(3_600_000, 8_000_000);
  while (run.world.time.now() < until) {
    void request(stage, someInstance(stage), target);
    await run.world.time.advance(gapMs);
  }
  return `GETs of ${target.slot.connection}/${target.slot.subject} every ${gapMs} ms for a while`;
}
