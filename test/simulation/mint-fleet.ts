import type { Connection } from '../../functions/core/slot/connection.ts';
import type { LogoutRequest, MintReply, MintRequest } from '../../functions/core/slot/mint-message.ts';
import type { MintInvocation, MintInvoker } from '../../functions/core/slot/minter.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A fault of one invocation of `mint`. `fails_after`: it does its work and fails then. */
export type InvokerFault =
  | 'refused'
  | 'lost'
  | 'reply_lost'
  | 'duplicated'
  | 'crash'
  | 'freeze'
  | 'delayed'
  | 'fails_after';

/** Probabilities of the faults of invocations, and the time until a delayed one arrives. */
export interface InvokerWeather {
  faults: Partial<Record<InvokerFault, number>>;
  delayLeastMs: number;
  delayMostMs: number;
  /** A crash comes after at most so many steps of the instance. */
  crashWithinSteps: number;
}

/** One instance of `mint`: runs one invocation at a time. */
export interface MintInstance {
  readonly process: SimulatedProcess;
  mint(request: MintRequest, connection: Connection): Promise<MintReply>;
  logout(request: LogoutRequest, connection: Connection): Promise<void>;
}

/** The instances of `mint`, as Lambda runs them: an idle one is used again, else another is started. */
export interface MintFleet {
  invokerFor(process: SimulatedProcess): MintInvoker;
  /** Faults of the next invocations, first one first. */
  readonly planned: InvokerFault[];
  readonly instances: readonly MintInstance[];
  /** The number of invocations under way. */
  running(): number;
  /** All requests sent by `ask`. */
  readonly asked: (MintRequest | LogoutRequest)[];
  /** The timeout of each `invoke`. */
  readonly timeoutsMs: number[];
}

/** Creates a fleet without instances. */
export function createMintFleet({
  time,
  random,
  weather,
  startInstance,
}: {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly weather: InvokerWeather;
  readonly startInstance: (name: string) => MintInstance;
}): MintFleet {
  const instances: MintInstance[] = [];
  const busy = new Set<MintInstance>();
  const planned: InvokerFault[] = [];
  const asked: (MintRequest | LogoutRequest)[] = [];
  const timeoutsMs: number[] = [];

  function faultOf(): InvokerFault | undefined {
    const next = planned.shift();
    if (next !== undefined) return next;
    return random.anyOf(weather.faults);
  }

  function idleInstance(): MintInstance {
    const idle = instances.find(
      (instance) => !busy.has(instance) && !instance.process.isDead() && !instance.process.isFrozen(),
    );
    if (idle !== undefined) return idle;
    const started = startInstance(`mint-${instances.length + 1}`);
    instances.push(started);
    return started;
  }

  /** Runs one invocation to its end; a crash and a throw are errors of the function. */
  async function run(
    connection: Connection,
    request: MintRequest | LogoutRequest,
    fault: InvokerFault | undefined,
  ): Promise<MintInvocation> {
    await time.after(
      fault === 'delayed' ? random.integer(weather.delayLeastMs, weather.delayMostMs) : random.integer(1, 10),
    );
    const instance = idleInstance();
    busy.add(instance);
    if (fault === 'crash') instance.process.crashAfter(random.integer(0, weather.crashWithinSteps));
    if (fault === 'freeze') {
      const freezeAfterMs = random.integer(0, (connection.timeoutSeconds + 2) * 1000);
      void time.after(freezeAfterMs).then(() => instance.process.freeze());
      void time.after(freezeAfterMs + random.integer(1_000, 120_000)).then(() => instance.process.thaw());
    }
    const died = instance.process.death.then((): MintInvocation => ({ kind: 'function_error' }));
    const work: Promise<MintReply | undefined> =
      request.trigger === 'purge'
        ? instance.logout(request, connection).then(() => undefined)
        : instance.mint(request, connection);
    const ran = work.then(
      // Nobody waits for a logout.
      (reply = { outcome: 'idle' }): MintInvocation => ({ kind: 'reply', reply }),
      (): MintInvocation => ({ kind: 'function_error' }),
    );
    const failed = ran.then((): MintInvocation => ({ kind: 'function_error' }));
    return Promise.race([fault === 'fails_after' ? failed : ran, died]).finally(() => busy.delete(instance));
  }

  return {
    planned,
    instances,
    running: () => busy.size,
    asked,
    timeoutsMs,
    invokerFor: (process) => ({
      async invoke(connection, request, timeoutMs) {
        timeoutsMs.push(timeoutMs);
        const fault = faultOf();
        if (fault === 'refused') {
          await process.network();
          return { kind: 'refused' };
        }
        const unanswered = time.after(timeoutMs).then((): MintInvocation => ({ kind: 'unanswered' }));
        const runs = fault === 'lost' ? [] : [run(connection, request, fault)];
        if (fault === 'duplicated') runs.push(run(connection, request, 'delayed'));
        const answers = fault === 'reply_lost' ? [] : runs;
        const invocation = await Promise.race([unanswered, ...answers]);
        await process.network();
        return invocation;
      },
      async ask(connection, request) {
        const fault = faultOf();
        asked.push(request);
        await process.network();
        if (fault === 'refused') return false;
        if (fault === 'lost') return true;
        void run(connection, request, fault);
        if (fault === 'duplicated') void run(connection, request, 'delayed');
        return true;
      },
    }),
  };
}
