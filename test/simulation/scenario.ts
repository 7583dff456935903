import type { Connection } from '../../functions/core/slot/connection.ts';
import {
  booksConnection,
  type ConnectionSettings,
  helpdeskConnection,
  withLogout,
  workforceConnection,
} from './connections.ts';
import type { SeededRandom } from './seeded-random.ts';
import { rulesFor, type UpstreamRules } from './upstream-accounts.ts';
import type { World } from './world.ts';

/** The greatest clock difference under which every promise holds. */
export const SKEW_BOUND_MS = 5_000;
/** Staff that the upstream does not know. */
const STRANGERS = ['404', '405', '406'] as const;

/** The part of a run that the seed decides before it starts. */
export interface Scenario {
  readonly connections: readonly Connection[];
  /** The subjects that callers ask for, by connection. */
  readonly subjects: Readonly<Record<string, readonly [string, ...string[]]>>;
  readonly rules: Readonly<Record<string, UpstreamRules>>;
  /** True if no two clocks differ by more than s. */
  readonly isWithinSkew: boolean;
  readonly skewOf: (process: string) => number;
  /** Lets all clocks started from now on differ by no more than s. */
  readonly endFarOffClocks: () => void;
  readonly tokenInstances: number;
  readonly actions: number;
  /** For how long the upstream takes a used refresh token again, where the credential rotates. */
  readonly graceMs?: number;
  /** How often it takes one before it gives the next. */
  readonly usesWithoutNext?: number;
}

/** Draws a scenario. A negative seed is of a connection whose credential rotates; the others have none. */
export function drawScenario(random: SeededRandom, seed: number): Scenario {
  if (seed < 0) return drawRotatingScenario(random);
  const kinds = random.pick([['helpdesk'], ['wfm'], ['helpdesk', 'wfm']] as const);
  const staff = random.pick([
    ['system'],
    ['system', '88'],
    ['system', '88', '89', '90', '91'],
    ['system', '88', ...STRANGERS],
    ['88', '89', '90', ...STRANGERS],
  ] as const);
  const isWithinSkew = random.fraction() < 0.8;
  const isInStep = random.fraction() < 0.3;
  const common = () => drawCommon(random, isInStep && isWithinSkew);
  const drawn = kinds.map((kind) =>
    kind === 'helpdesk' ? drawHelpdesk(random, common()) : drawWorkforce(random, common()),
  );
  // By the seed itself: the others mean what they meant.
  const connections = seed % 8 === 7 ? drawn.map(withLogout) : drawn;
  return {
    ...drawClocks(random, { isWithinSkew, isInStep }),
    connections,
    subjects: Object.fromEntries(
      connections.map(({ name }) => [name, name === 'helpdesk' ? staff : (['system'] as const)]),
    ),
    rules: Object.fromEntries(connections.map((each) => [each.name, drawRules(each, random)])),
    tokenInstances: random.integer(1, 3),
    actions: random.pick([8, 16, 30, 50]),
  };
}

/** Draws a connection whose credential rotates, as often as not under two configurations at once, as in a deployment. */
function drawRotatingScenario(random: SeededRandom): Scenario {
  const isWithinSkew = random.fraction() < 0.8;
  const isInStep = random.fraction() < 0.3;
  const graceSeconds = random.pick([0, 0, 60, 3_600]);
  const settings = {
    ...drawCommon(random, isInStep && isWithinSkew),
    renewalCooldownSeconds: 600,
    // With clocks s apart, and 3 s to keep what is answered, less leaves no time for the upstream.
    timeoutSeconds: random.pick([6, 12]),
    maxTokenAgeSeconds: random.pick([900, 3_600, 86_400]),
  };
  const urls = random.pick([['one'], ['one', 'another']] as const);
  const connections = urls.map((url) =>
    booksConnection({ ...settings, baseUrl: `https://${url}.example.com` }, graceSeconds),
  );
  const [{ name } = { name: '' }] = connections;
  const rules = rulesFor(booksConnection());
  rules.lifeSeconds = random.pick([900, 3_600]);
  rules.clockOffsetMs = random.integer(-600_000, 600_000);
  return {
    ...drawClocks(random, { isWithinSkew, isInStep }),
    connections,
    subjects: { [name]: ['system'] },
    rules: { [name]: rules },
    tokenInstances: random.integer(1, 3),
    actions: random.pick([8, 16, 30, 50]),
    graceMs: graceSeconds * 1000,
    usesWithoutNext: random.pick([0, 0, 0, 1, 3]),
  };
}

/** Draws clocks: in step, within their bound, or some of them far off. */
function drawClocks(
  random: SeededRandom,
  { isWithinSkew, isInStep }: { readonly isWithinSkew: boolean; readonly isInStep: boolean },
): Pick<Scenario, 'isWithinSkew' | 'skewOf' | 'endFarOffClocks'> {
  const skews = new Map<string, number>();
  let mayBeFarOff = !isWithinSkew;

  function skewOf(process: string): number {
    const known = skews.get(process);
    if (known !== undefined) return known;
    const isFarOff = mayBeFarOff && random.fraction() < 0.4;
    const within = isInStep ? 0 : random.pick([0, SKEW_BOUND_MS, random.integer(0, SKEW_BOUND_MS)]);
    const skew = isFarOff ? random.integer(-120_000, 120_000) : within;
    skews.set(process, skew);
    return skew;
  }

  return {
    isWithinSkew,
    skewOf,
    endFarOffClocks() {
      mayBeFarOff = false;
    },
  };
}

function drawCommon(random: SeededRandom, isInStep: boolean): ConnectionSettings {
  return {
    minTtlSeconds: random.pick([0, 5, 20]),
    memorySeconds: random.pick([0, 5, 30]),
    // With one second and clocks s apart there is no time left for the upstream.
    timeoutSeconds: isInStep ? random.pick([1, 3, 6, 12]) : random.pick([3, 6, 12]),
    renewalCooldownSeconds: random.pick([0, 10, 60]),
    idleSeconds: random.pick([120, 600, 3_600, 86_400]),
    refreshAfter: random.pick([0.5, 0.75, 0.8]),
  };
}

function drawHelpdesk(random: SeededRandom, common: ConnectionSettings): Connection {
  return helpdeskConnection({ ...common, maxTokenAgeSeconds: random.pick([200, 3_600, 86_400]) });
}

function drawWorkforce(random: SeededRandom, common: ConnectionSettings): Connection {
  return workforceConnection({
    ...common,
    tokensOverlap: random.fraction() < 0.75,
    lifetimeSeconds: random.pick([120, 300, 1_200]),
    maxSessionSeconds: random.pick([600, 3_600, 43_200]),
    settings: random.fraction() < 0.7 ? { keepAlivePath: '/Ping' } : {},
  });
}

function drawRules(connection: Connection, random: SeededRandom): UpstreamRules {
  const rules = rulesFor(connection);
  for (const stranger of STRANGERS) rules.unknown.add(stranger);
  rules.lockedAfter = random.pick([undefined, undefined, 3, 5]);
  rules.singleSession = !connection.tokensOverlap || random.fraction() < 0.1;
  if (rules.says === 'fixed') return rules;
  rules.lifeSeconds = random.pick([150, 600, 3_600, 86_400]);
  rules.says = random.pick(['exp_and_date', 'exp_and_date', 'exp', 'nothing']);
  // Without a `Date` in the answer, the upstream's clock too must agree within s.
  rules.clockOffsetMs = rules.says === 'exp' ? random.integer(0, SKEW_BOUND_MS) : random.integer(-600_000, 600_000);
  return rules;
}

/** Makes the weather of the next while: calm as often as not, else some of all that can go wrong. */
export function drawWeather({ weather, connections }: World, random: SeededRandom): string {
  calm(weather);
  weather.latency.least = 1;
  weather.latency.most = random.pick([3, 20, 60]);
  weather.latency.slowChance = 0.02;
  weather.latency.slowMost = 400;
  weather.upstream.answerMs = random.pick([
    { least: 5, most: 200 },
    { least: 5, most: 3_000 },
    { least: 500, most: 12_000 },
  ]);
  weather.store.staleMs = random.pick([0, 0, 500, 2_000]);
  if (random.fraction() < 0.35) return 'calm';

  const little = () => (random.fraction() < 0.35 ? random.pick([0.02, 0.1, 0.4]) : 0);
  weather.store.down = random.fraction() < 0.12 ? random.pick([0.05, 0.3, 1]) : 0;
  weather.store.writesDown = random.fraction() < 0.1 ? random.pick([0.2, 1]) : 0;
  weather.store.replyLost = little();
  weather.store.sentTwice = little();
  weather.store.expires = 0.3;
  weather.keys.down = random.fraction() < 0.12 ? random.pick([0.2, 1]) : 0;
  weather.secrets.down = random.fraction() < 0.12 ? random.pick([0.2, 1]) : 0;
  weather.audit.down = random.fraction() < 0.05 ? 0.3 : 0;
  weather.invoker.faults = {
    refused: little(),
    lost: little(),
    reply_lost: little(),
    duplicated: little(),
    crash: little(),
    freeze: little(),
    delayed: little(),
  };
  weather.invoker.delayMostMs = random.pick([50, 2_000, 60_000]);
  weather.upstream.retryAfterMs = random.pick([undefined, 5_000, 90_000]);
  weather.upstream.faults = {
    unreachable: little(),
    throttled: little() / 2,
    unavailable: little() / 2,
    broken: little(),
    invalid: little() / 2,
    lost: random.fraction() < 0.1 ? 1 : little(),
    late: little(),
    reset_after: little(),
    no_new_token: little(),
  };
  if (Object.values(connections).some(({ keptSecret }) => keptSecret !== undefined)) {
    weather.kept.down = random.fraction() < 0.2 ? random.pick([0.2, 1]) : 0;
    weather.kept.writesDown = little();
    weather.kept.replyLost = little();
  }
  return 'foul';
}

/**
 * Draws an upstream that issues a token again until it ends, or whose `Date` alone is hours off, or whose whole clock is,
 * by a stream of its own.
 */
export function drawFurtherRules(rules: UpstreamRules, { further }: World): void {
  if (further.fraction() < 0.15 && rules.says !== 'fixed' && !rules.singleSession) {
    // Of a token that is about to end nobody can tell which of two clocks is wrong.
    Object.assign(rules, { reissues: true, clockOffsetMs: 0 });
    return;
  }
  const share = further.fraction();
  if (rules.says !== 'exp_and_date' || share >= 0.3) return;
  const offMs = further.pick([-28_800_000, 28_800_000, -3_600_000, 3_600_000, -1_800_000_000_000]);
  Object.assign(rules, share < 0.15 ? { clockOffsetMs: 0, dateOffsetMs: offMs } : { clockOffsetMs: offMs });
}

/** Makes what befalls logins or slides alone in this weather, by a stream of its own: old seeds mean what they meant. */
export function drawFurtherWeather({ weather: { upstream }, further }: World): void {
  Object.assign(upstream, { slides: {}, logins: {} });
  const share = further.fraction();
  if (share < 0.2) upstream.slides[further.pick(FAULTS_OF_SLIDES)] = further.pick([0.3, 1]);
  else if (share < 0.3) Object.assign(upstream, { slides: { blocked: 1 }, logins: { blocked: 1 } });
}

const FAULTS_OF_SLIDES = ['broken', 'blocked', 'throttled', 'unavailable', 'invalid', 'lost', 'no_new_token'] as const;

/** Ends all that goes wrong. */
export function calm(weather: World['weather']): void {
  Object.assign(weather.store, { down: 0, writesDown: 0, replyLost: 0, sentTwice: 0, staleMs: 0, expires: 0 });
  weather.keys.down = 0;
  weather.secrets.down = 0;
  Object.assign(weather.kept, { down: 0, writesDown: 0, replyLost: 0 });
  weather.audit.down = 0;
  weather.invoker.faults = {};
  weather.upstream.faults = {};
  weather.upstream.slides = {};
  weather.upstream.logins = {};
  weather.upstream.hangs = undefined;
  weather.upstream.answerMs = { least: 5, most: 200 };
}

/** The kinds of faults that a weather has, by name. */
export function faultKindsIn(weather: World['weather']): string[] {
  return faultsOf(weather).flatMap(({ where, chances }) =>
    Object.entries(chances).flatMap(([kind, chance = 0]) => (chance > 0 ? [`${where} ${kind}`] : [])),
  );
}

/** Lets only these kinds of faults come about; the others are drawn for all the same, so that all else goes as it went. */
export function keepFaults(weather: World['weather'], kept: ReadonlySet<string>): void {
  for (const { where, chances } of faultsOf(weather)) {
    for (const [kind, chance = 0] of Object.entries(chances)) {
      if (chance > 0 && !kept.has(`${where} ${kind}`)) chances[kind] = Number.MIN_VALUE;
    }
  }
}

/** Lists the kinds of faults with their probabilities. The lag of reads counts as a kind. */
function faultsOf({ store, keys, secrets, kept, audit, invoker, upstream }: World['weather']) {
  const places: readonly (readonly [string, object])[] = [
    ['store', store],
    ['keys', keys],
    ['secrets', secrets],
    ['kept', kept],
    ['audit', audit],
    ['mint', invoker.faults],
    ['upstream', upstream.faults],
    ['slides', upstream.slides],
    ['logins', upstream.logins],
  ];
  // Every value of these is a number.
  return places.map(([where, chances]) => ({ where, chances: chances as Partial<Record<string, number>> }));
}
