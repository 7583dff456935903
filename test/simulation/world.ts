import type { Audit, HandOutRecord } from '../../functions/core/hand-out/audit.ts';
import { createHandOut, type HandOut, type HandOutRequest } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import { createKeptLogin } from '../../functions/core/mint/kept.ts';
import { parseKeptVersion } from '../../functions/core/mint/kept-value.ts';
import { createLogout } from '../../functions/core/mint/logout.ts';
import { createMint } from '../../functions/core/mint/mint.ts';
import { createCandidateTry } from '../../functions/core/mint/try-candidate.ts';
import { createPurge } from '../../functions/core/operate/purge.ts';
import { createRotation } from '../../functions/core/operate/rotation.ts';
import { createSweep, type SweepResult } from '../../functions/core/operate/sweep.ts';
import { createTryLogin } from '../../functions/core/operate/try-login.ts';
import { createProxy } from '../../functions/core/proxy/proxy.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { WaitingValue } from '../../functions/core/slot/kept.ts';
import type { Keys } from '../../functions/core/slot/keys.ts';
import { openKept } from '../../functions/core/slot/seal.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { type Draws, freshDraws } from './draws.ts';
import { createForwarderSimulator } from './forwarder-simulator.ts';
import type {
  Answer,
  AuditEntry,
  ForwardedCall,
  Happening,
  Log,
  RecordedLogins,
  RecordedWrite,
  UpstreamRequest,
} from './happenings.ts';
import { createKeptVault, createMemoryKeptSecrets, type KeptSecretsWeather } from './memory-kept-secrets.ts';
import { createMemoryKeys, type KeyRing, type KeysWeather } from './memory-keys.ts';
import {
  createMemoryCandidates,
  createMemorySecrets,
  createSecretVault,
  type SecretsWeather,
} from './memory-secrets.ts';
import { createMemoryStore, type StoreCall, type StoreFault, type StoreWeather } from './memory-store.ts';
import { createMemoryTable } from './memory-table.ts';
import { createMintFleet, type InvokerWeather, type MintInstance } from './mint-fleet.ts';
import { createRotatingGrants } from './rotating-grants.ts';
import type { Sabotage } from './sabotage.ts';
import { createSaid } from './said.ts';
import { createSeededRandom } from './seeded-random.ts';
import { createProcess, type Latency, OPERATORS, type SimulatedProcess } from './simulated-process.ts';
import { createUpstreamAccounts, rulesFor, secretOf, type UpstreamAccounts } from './upstream-accounts.ts';
import { createUpstreamSimulator, type UpstreamFault, type UpstreamWeather } from './upstream-simulator.ts';
import { createVirtualTime } from './virtual-time.ts';
import { recordWaits } from './waits.ts';

/** The faults in a world and their probabilities: none at first. Tests and the simulation change them at any time. */
export interface Weather {
  readonly store: StoreWeather;
  readonly keys: KeysWeather;
  readonly secrets: SecretsWeather;
  readonly kept: KeptSecretsWeather;
  readonly invoker: InvokerWeather;
  readonly upstream: UpstreamWeather;
  readonly audit: { down: number };
  readonly latency: Latency;
}

/** An instance of the function that hands out tokens. */
export interface TokenInstance {
  readonly process: SimulatedProcess;
  /** `leftMs` is how long the caller waits for its answer. */
  handOut(request: Omit<HandOutRequest, 'deadline'>, leftMs?: number): Promise<HandOut>;
}

/** An instance of the proxy. */
export interface ProxyInstance {
  readonly process: SimulatedProcess;
  /** Forwards one GET; gives the status of the upstream's answer, and throws where there is none. */
  call(
    target: { readonly connection: Connection; readonly slot: Slot },
    requestId: string,
    caller: string,
  ): Promise<number>;
}

/** One call to the store or to the keys, on its way. */
export type PortCall = Omit<StoreCall, 'operation'> & { readonly operation: StoreCall['operation'] | keyof Keys };

/** The whole broker with everything around it, in memory. */
export type World = ReturnType<typeof createWorld>;

const START = 1_800_000_000_000;
const BROKER = 'simulated-broker';
/** The part of a function's 28 s that is left for the work itself. */
const REQUEST_MS = 23_000;

/** Creates the whole broker, composed of its production core, between a table, secrets, keys and upstreams in memory. */
export function createWorld({
  seed,
  connections,
  isShuffled = false,
  skewOf = () => 0,
  draws = freshDraws,
  onQuiet,
  onCall,
  sabotage = {},
  mostWaits,
}: {
  readonly seed: number;
  readonly connections: readonly Connection[];
  /** True if the seed also decides the order of things due at the same moment. */
  readonly isShuffled?: boolean;
  readonly skewOf?: (process: string) => number;
  readonly draws?: Draws;
  /** Called whenever all that could go on has, and only time can bring more; what it throws ends the wait for time. */
  readonly onQuiet?: () => void;
  /** Hears of each call to the store and to the keys before it takes effect, and may have it go wrong. */
  readonly onCall?: (call: PortCall) => Promise<StoreFault | undefined>;
  readonly sabotage?: Sabotage;
  /** Most requests that wait for tokens of one connection, of those to `token`. */
  readonly mostWaits?: number | undefined;
}) {
  const random = createSeededRandom(seed, draws.stream(seed));
  const order = isShuffled ? createSeededRandom(seed + 1, draws.stream(seed + 1)) : undefined;
  const expiry = createSeededRandom(seed + 2, draws.stream(seed + 2));
  const further = createSeededRandom(seed + 3, draws.stream(seed + 3));
  const time = createVirtualTime(START, order, onQuiet);
  const weather: Weather = {
    store: { down: 0, writesDown: 0, replyLost: 0, sentTwice: 0, staleMs: 0, expires: 0 },
    keys: { down: 0 },
    secrets: { down: 0 },
    kept: { down: 0, writesDown: 0, replyLost: 0 },
    invoker: { faults: {}, delayLeastMs: 0, delayMostMs: 60_000, crashWithinSteps: 14 },
    upstream: { faults: {}, slides: {}, logins: {}, retryAfterMs: undefined, answerMs: { least: 2, most: 2 } },
    audit: { down: 0 },
    latency: { least: 1, most: 1, slowChance: 0, slowMost: 1 },
  };
  const log: Happening[] = [];
  // `Log` ensures that `what` fits `kind`.
  const record: Log = (kind, about, what) => log.push({ kind, at: time.now(), about, what } as Happening);
  const writes: RecordedWrite[] = [];
  const loginsWrites: RecordedLogins[] = [];
  let actor = 'nobody';
  const audits: AuditEntry[] = [];
  const answers: Answer[] = [];
  const ledger: UpstreamRequest[] = [];
  const calls: ForwardedCall[] = [];
  const { said, telemetry } = createSaid();
  const ring: KeyRing = new Map();
  const vault = createSecretVault((secret, { versionId, value }, label) => {
    const of = connections.find((each) => each.secret === secret);
    const what = { at: time.now(), versionId, value: value.reveal(), label };
    record('label', { connection: of?.name ?? '' }, what);
  });
  const readValue = (text: Secret<string> | undefined) =>
    text && parseKeptVersion({ versionId: '', value: text })?.value;
  const openWaiting = (connection: string, { ciphertext, dataKey }: WaitingValue) => {
    const key = ring.get(Buffer.from(dataKey).toString())?.plaintext;
    return key && openKept(ciphertext, key, { broker: BROKER, connection });
  };
  const keptVault = createKeptVault((secret, by, value) => {
    const { name: connection = '' } = connections.find(({ keptSecret }) => keptSecret === secret) ?? {};
    const of = { connection, operation: 'version', before: undefined, after: undefined };
    record('kept', { connection }, { ...of, at: time.now(), by, value: readValue(new Secret(value)) });
  });
  const plannedUpstreamFaults: (UpstreamFault | 'none')[] = [];
  const upstreams = new Map<string, UpstreamAccounts>();
  const table = createMemoryTable({
    now: time.now,
    onWrite(change) {
      const write = { ...change, at: time.now(), by: actor };
      writes.push(write);
      record('write', write.slot, write);
    },
    onLogins(change) {
      const recorded = { ...change, at: time.now(), by: actor };
      loginsWrites.push(recorded);
      record('logins', { connection: change.connection }, recorded);
    },
    onKept(access) {
      const { connection, after } = access;
      const value = readValue(after?.waiting && openWaiting(connection, after.waiting));
      record('kept', { connection }, { ...access, at: time.now(), by: actor, value });
    },
    onPermit: (write) => record('permit', { connection: write.connection }, { ...write, at: time.now(), by: actor }),
  });

  for (const connection of connections) {
    // Two configurations of one connection have the same upstream and secret.
    if (upstreams.has(connection.name)) continue;
    const rules = rulesFor(connection);
    const grants = connection.keptSecret === undefined ? undefined : createRotatingGrants(time.now);
    upstreams.set(connection.name, createUpstreamAccounts(connection.name, time.now, rules, random.uuid, grants));
    vault.rotate(connection.secret, grants === undefined ? 'right' : secretOf(grants.consent()));
  }

  const onActor = (name: string): void => {
    actor = name;
  };

  /** Creates the ports of a function in a process of its own. */
  function surroundings(name: string) {
    const process = createProcess(name, { time, random, latency: weather.latency, skewMs: skewOf(name) });
    const { now } = time;
    const good = createMemoryStore({ table, process, random, expiry, weather: weather.store, now, onActor, onCall });
    const store = sabotage.store?.(good) ?? good;
    const keys = createMemoryKeys({ ring, process, random, weather: weather.keys, onCall });
    return { process, store, keys, clock: process.clock, telemetry, random, broker: BROKER };
  }

  const fleet = createMintFleet({
    time,
    random,
    weather: weather.invoker,
    startInstance(name): MintInstance {
      const own = surroundings(name);
      const reading = { vault, process: own.process, random, weather: weather.secrets };
      const secrets = createMemorySecrets(reading);
      const kept = { vault: keptVault, process: own.process, random, weather: weather.kept };
      const good = createUpstreamSimulator({
        upstreams,
        ledger,
        record,
        process: own.process,
        time,
        random,
        further,
        weather: weather.upstream,
        planned: plannedUpstreamFaults,
        loginsRead: own.store.loginsRead,
      });
      const upstream = sabotage.upstream?.(good) ?? good;
      const loginWithKept = createKeptLogin({ ...own, secrets, keptSecrets: createMemoryKeptSecrets(kept) });
      const tryCandidate = createCandidateTry({ ...own, secrets, candidates: createMemoryCandidates(reading) });
      const ports = { ...own, secrets, loginWithKept, tryCandidate, upstream };
      return { process: own.process, mint: createMint(ports), logout: createLogout(ports) };
    },
  });

  /** Adds the ports of a function that hands out tokens. */
  function handingOut(own: ReturnType<typeof surroundings>, most?: number) {
    const { process } = own;
    const good: Audit = {
      async handOut(handOut: HandOutRecord): Promise<void> {
        if (random.chance(weather.audit.down)) throw new BrokerError('audit_unavailable', 'The audit is down.');
        const entry = { ...handOut, writtenAt: time.now(), instance: process.name };
        audits.push(entry);
        record('audit', entry, entry);
      },
    };
    const audit = sabotage.audit?.(good) ?? good;
    const minter = fleet.invokerFor(process);
    const requestMint = recordWaits(createRequestMint({ ...own, minter, mostWaits: most }), { process, record, time });
    return { ...own, memory: createTokenMemory(), audit, minter, requestMint };
  }

  /** Starts an instance of the proxy. */
  function startProxyInstance(name: string): ProxyInstance {
    const own = surroundings(name);
    const { process } = own;
    const forwarder = createForwarderSimulator({
      ...{ upstreams, calls, record, process, time, random },
      weather: weather.upstream,
    });
    const proxy = createProxy({ ...handingOut(own), forwarder });
    return {
      process,
      async call(target, requestId, caller) {
        const policy = target.connection.proxy ?? { methods: ['GET'], paths: ['/'], headers: [], timeoutSeconds: 8 };
        const request = { method: 'GET', path: '/', query: '', headers: {} };
        const deadline = process.clock.monotonic() + REQUEST_MS;
        const answer = await proxy({ ...target, policy, request, caller, requestId, deadline });
        return answer.status;
      },
    };
  }

  /** Starts an instance of the function that hands out tokens; of a broker of another name it opens no token. */
  function startTokenInstance(name: string, broker = BROKER): TokenInstance {
    const own = surroundings(name);
    const handOut = createHandOut({ ...handingOut(own, mostWaits), broker });
    return {
      process: own.process,
      async handOut(request, leftMs = REQUEST_MS) {
        const askedAt = time.now();
        const answer = (said: Pick<Answer, 'handOut' | 'error' | 'retryAfterMs'>) => {
          const about = { request, instance: name, askedAt, answeredAt: time.now(), auditsBefore: audits.length };
          answers.push({ ...about, ...said });
          record('answer', request.slot, { ...about, ...said });
        };
        try {
          const handedOut = await handOut({ ...request, deadline: own.clock.monotonic() + leftMs });
          answer({ handOut: handedOut });
          return handedOut;
        } catch (error) {
          const known = error instanceof BrokerError ? error : new BrokerError('internal', String(error));
          const { code, retryAfterMs } = known;
          answer({ error: code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
          throw error;
        }
      },
    };
  }

  const own = surroundings(OPERATORS);
  const operators = { ...own, minter: fleet.invokerFor(own.process) };
  const rotations = surroundings('rotation');
  const byName = Object.fromEntries(connections.map((connection) => [connection.name, connection]));

  let sweeps = 0;

  /** Starts another instance of the sweep's function and runs one sweep in it. */
  async function sweep(): Promise<SweepResult> {
    sweeps += 1;
    const own = surroundings(`refresh-${sweeps}`);
    return createSweep({ ...own, minter: fleet.invokerFor(own.process), connections: byName })();
  }

  return {
    time,
    random,
    further,
    weather,
    table,
    vault,
    keptVault,
    ring,
    upstreams,
    fleet,
    log,
    record,
    writes,
    loginsWrites,
    audits,
    answers,
    ledger,
    calls,
    said,
    connections: byName,
    plannedUpstreamFaults,
    operators,
    startTokenInstance,
    startProxyInstance,
    sweep,
    purge: createPurge(operators),
    tryLogin: createTryLogin(operators),
    rotate: createRotation(rotations),
  };
}
