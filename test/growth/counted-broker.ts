import { Writable } from 'node:stream';
import { type DecryptCommand, type GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createKmsRequests } from '../../functions/adapters/aws/kms.ts';
import { createKmsKeys } from '../../functions/adapters/aws/kms-keys.ts';
import { createSecretsManagerSecrets } from '../../functions/adapters/aws/secrets-manager.ts';
import { createObservability } from '../../functions/adapters/observability.ts';
import { createHandOut } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { createRequestMint } from '../../functions/core/hand-out/request-mint.ts';
import { createMint } from '../../functions/core/mint/mint.ts';
import { createSweep } from '../../functions/core/operate/sweep.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { MintInvoker } from '../../functions/core/slot/minter.ts';
import type { UpstreamRequest } from '../simulation/happenings.ts';
import { createMemoryStore } from '../simulation/memory-store.ts';
import { createMemoryTable } from '../simulation/memory-table.ts';
import { createMintFleet, type MintFleet } from '../simulation/mint-fleet.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createProcess, type SimulatedProcess } from '../simulation/simulated-process.ts';
import { createUpstreamAccounts, rulesFor } from '../simulation/upstream-accounts.ts';
import { createUpstreamSimulator } from '../simulation/upstream-simulator.ts';
import { createVirtualTime } from '../simulation/virtual-time.ts';

/** The production core with its adapters of KMS, Secrets Manager and the log, in virtual time, all requests counted. */
export type CountedBroker = ReturnType<typeof createCountedBroker>;

const START = 1_800_000_000_000;
const BROKER = 'token-broker';
const HOUR_MS = 3_600_000;
/** As deployed by default: a tenth of an account's usual executions. */
const MOST_WAITS = 100;
const REQUEST_MS = 23_000;
/** Milliseconds each way to a service of AWS; an upstream's answer to a login. */
const LATENCY = { least: 2, most: 8, slowChance: 0.02, slowMost: 40 };
const ANSWER_MS = { least: 150, most: 250 };
const CALM = { store: { down: 0, writesDown: 0, replyLost: 0, sentTwice: 0, staleMs: 0, expires: 0 } } as const;
const GETS: ReadonlySet<string> = new Set(['read', 'logins', 'kept']);
/** A sweep asks each shard of the index. */
const SHARDS = 4;

/** Creates a broker for these connections, whose upstreams take each credential and never fail. */
export function createCountedBroker(seed: number, connections: readonly Connection[]) {
  const random = createSeededRandom(seed);
  const time = createVirtualTime(START);
  const table = createMemoryTable({ now: time.now });
  const ledger: UpstreamRequest[] = [];
  const rings = new Map<string, { readonly key: Uint8Array; readonly context: string }>();
  const upstreams = new Map(
    connections.map((connection) => [
      connection.name,
      createUpstreamAccounts(connection.name, time.now, rulesFor(connection), random.uuid),
    ]),
  );
  const byName = Object.fromEntries(connections.map((connection) => [connection.name, connection]));

  let counts: Record<string, number> = {};
  let metrics = new Set<string>();
  let logBytes = 0;
  const count = (name: string, by = 1) => {
    counts[name] = (counts[name] ?? 0) + by;
  };
  const output = new Writable();
  output.write = (line: string): boolean => {
    logBytes += Buffer.byteLength(line);
    if (line.startsWith('{"_aws"')) for (const each of metricsIn(line)) metrics.add(`${hourOf(time.now())} ${each}`);
    return true;
  };

  /** A client of the SDK whose requests take their time in `process`, and are answered here. */
  function answering<Client>(
    service: string,
    like: Client,
    process: SimulatedProcess,
    answer: (command: Sent) => unknown,
  ) {
    const send = async (command: Sent) => {
      count(`${service}.${command.constructor.name.replace('Command', '')}`);
      await process.network();
      const answered = answer(command);
      await process.network();
      return answered;
    };
    // Only `send` is ever called.
    return Object.assign(Object.create(Object(like)), { send });
  }

  function kms(process: SimulatedProcess): KMSClient {
    return answering('kms', KMSClient.prototype, process, ({ input }) => {
      const context = JSON.stringify(input.EncryptionContext);
      if (input.CiphertextBlob === undefined) {
        const id = random.uuid();
        const key = random.bytes(32);
        rings.set(id, { key, context });
        return { Plaintext: key, CiphertextBlob: Buffer.from(id) };
      }
      const known = rings.get(Buffer.from(input.CiphertextBlob).toString());
      return { Plaintext: known?.context === context ? known.key : undefined };
    });
  }

  /** The ports of a function in a process of its own. */
  function surroundings(name: string, service: string) {
    const process = createProcess(name, { time, random, latency: LATENCY });
    const { clock } = process;
    const store = createMemoryStore({
      ...{ table, process, random, expiry: random, weather: CALM.store, now: time.now, onActor: () => undefined },
      async onCall({ operation }) {
        if (operation === 'due') count('dynamodb.Query', SHARDS);
        else count(GETS.has(operation) ? 'dynamodb.GetItem' : 'dynamodb.UpdateItem');
        return undefined;
      },
    });
    const requests = createKmsRequests({ client: kms(process), keyId: 'key' });
    const keys = createKmsKeys({ requests, broker: BROKER, clock });
    return {
      process,
      store,
      keys,
      clock,
      random,
      broker: BROKER,
      ...createObservability({ broker: BROKER, service, output }),
    };
  }

  function startMint(name: string) {
    const own = surroundings(name, 'mint');
    const { process, clock, store } = own;
    const current = { SecretString: 'right', VersionId: 'version-1' };
    const secretsManager: SecretsManagerClient = answering(
      'secretsmanager',
      SecretsManagerClient.prototype,
      process,
      () => current,
    );
    const mint = createMint({
      ...own,
      secrets: createSecretsManagerSecrets({ client: secretsManager, clock }),
      loginWithKept: () => Promise.reject(new Error('No credential rotates here.')),
      tryCandidate: () => Promise.reject(new Error('Nobody tries a candidate.')),
      upstream: createUpstreamSimulator({
        ...{ upstreams, ledger, record: () => undefined, process, time, random, further: random },
        weather: { faults: {}, slides: {}, logins: {}, retryAfterMs: undefined, answerMs: ANSWER_MS },
        planned: [],
        loginsRead: store.loginsRead,
      }),
    });
    return { process, mint, logout: () => Promise.reject(new Error('Nobody purges.')) };
  }

  const fleets = new Map<string, MintFleet>();
  /** Each connection has a function `mint` of its own. */
  function fleetOf({ name }: Connection): MintFleet {
    const known = fleets.get(name);
    if (known !== undefined) return known;
    const weather = { faults: {}, delayLeastMs: 0, delayMostMs: 0, crashWithinSteps: 0 };
    const fleet = createMintFleet({ time, random, weather, startInstance: (id) => startMint(`${name} ${id}`) });
    fleets.set(name, fleet);
    return fleet;
  }

  function minterFor(process: SimulatedProcess): MintInvoker {
    return {
      invoke(connection, request, timeoutMs) {
        count('lambda.mint');
        return fleetOf(connection).invokerFor(process).invoke(connection, request, timeoutMs);
      },
      ask(connection, request) {
        count('lambda.mint');
        return fleetOf(connection).invokerFor(process).ask(connection, request);
      },
    };
  }

  /** Starts an instance of `token`. */
  function startToken(name: string) {
    const own = { ...surroundings(name, 'token'), memory: createTokenMemory() };
    const minter = minterFor(own.process);
    const requestMint = createRequestMint({ ...own, minter, mostWaits: MOST_WAITS });
    const handOut = createHandOut({ ...own, minter, requestMint });
    return (request: Omit<Parameters<typeof handOut>[0], 'deadline'>) =>
      handOut({ ...request, deadline: own.clock.monotonic() + REQUEST_MS });
  }

  const refresh = surroundings('refresh', 'refresh');
  const sweep = createSweep({ ...refresh, minter: minterFor(refresh.process), connections: byName });

  return {
    time,
    random,
    ledger,
    upstreams,
    startToken,
    sweep,
    /** What was counted since this was last asked. */
    counted() {
      const seen = { counts, logBytes, metricHours: metrics.size };
      counts = {};
      metrics = new Set();
      logBytes = 0;
      return seen;
    },
  };
}

/** A command of the SDK, as much of it as is answered here. */
interface Sent {
  readonly input: Partial<DecryptCommand['input'] & GenerateDataKeyCommand['input']>;
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

/** The metrics of a line of CloudWatch's embedded format, each by its name and the values of its dimensions. */
function metricsIn(line: string): readonly string[] {
  const { _aws: format, ...values } = JSON.parse(line);
  const [
    {
      Dimensions: [names],
      Metrics,
    },
  ] = format.CloudWatchMetrics;
  const dimensions = names.map((name: string) => `${name}=${values[name]}`).join(' ');
  return Metrics.map(({ Name }: { readonly Name: string }) => `${Name} ${dimensions}`);
}
