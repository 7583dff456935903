import type { Clock } from '../../functions/core/words/platform.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The process of the operators' function. */
export const OPERATORS = 'connections';

/** One instance of a function: its own clock, and what can befall it. */
export interface SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  /** The lead of its wall clock over true time, in milliseconds. */
  skewMs: number;
  /** Waits `ms`. Never returns once the process is dead; while it is frozen, returns only after the thaw. */
  step(ms: number): Promise<void>;
  /** Waits like `step`, for as long as the network takes. */
  network(): Promise<void>;
  /** Ends the process after that many more steps; 0 means at the next, undefined not at all. */
  crashAfter(steps: number | undefined): void;
  freeze(): void;
  thaw(): void;
  isDead(): boolean;
  isFrozen(): boolean;
  /** True once it was frozen, thawed or not. */
  hasFrozen(): boolean;
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
}

/** The latency of the network in milliseconds, with a chance of a slow one. */
export interface Latency {
  least: number;
  most: number;
  slowChance: number;
  slowMost: number;
}

/** Creates a process. */
export function createProcess(
  name: string,
  {
    time,
    random,
    latency,
    skewMs = 0,
  }: { readonly time: VirtualTime; readonly random: SeededRandom; readonly latency: Latency; readonly skewMs?: number },
): SimulatedProcess {
  let crashIn: number | undefined;
  let isDead = false;
  let hasFrozen = false;
  let thawed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  const death = Promise.withResolvers<void>();

  const simulated: SimulatedProcess = {
    name,
    skewMs,
    death: death.promise,
    clock: {
      now: () => time.now() + simulated.skewMs,
      monotonic: () => time.now(),
      sleep: (ms) => simulated.step(ms),
    },
    async step(ms) {
      await time.after(ms);
      if (crashIn !== undefined) {
        crashIn -= 1;
        if (crashIn < 0 && !isDead) {
          isDead = true;
          death.resolve();
        }
      }
      while (thawed !== undefined && !isDead) await thawed.promise;
      if (isDead) await new Promise<never>(() => {});
    },
    network() {
      const most = random.fraction() < latency.slowChance ? latency.slowMost : latency.most;
      return simulated.step(random.integer(latency.least, most));
    },
    crashAfter(steps) {
      crashIn = steps;
    },
    freeze() {
      hasFrozen = true;
      thawed ??= Promise.withResolvers<void>();
    },
    thaw() {
      thawed?.resolve();
      thawed = undefined;
    },
    isDead: () => isDead,
    isFrozen: () => thawed !== undefined,
    hasFrozen: () => hasFrozen,
  };
  return simulated;
}
