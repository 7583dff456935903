import type { SeededRandom } from './seeded-random.ts';

/** Time that passes only as work is done: no real timer, and the seed decides who goes first among equals. */
export interface VirtualTime {
  /** True time; epoch milliseconds. */
  now(): number;
  /** Resolves once `ms` have passed. */
  after(ms: number): Promise<void>;
  /** Lets `ms` pass, doing all that falls due meanwhile. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until `work` has ended; throws where nothing is left that could end it. */
  settle<T>(work: Promise<T>): Promise<T>;
  /** Counts the waits that have ended so far. */
  steps(): number;
}

interface Wait {
  readonly at: number;
  readonly order: number;
  readonly resolve: () => void;
}

/** Limit on the waits in one go. More are taken for work that never ends. */
const MAXIMUM_STEPS = 300_000;

/**
 * Creates virtual time from `start`. With `random`, waits that end at the same moment end in an order it decides.
 * `onQuiet` is called after every step, and before the first; what it throws, `advance` and `settle` throw.
 */
export function createVirtualTime(start: number, random?: SeededRandom, onQuiet: () => void = () => {}): VirtualTime {
  const heap: Wait[] = [];
  let now = start;
  let steps = 0;
  let sequence = 0;

  const isBefore = (one: Wait, other: Wait) => one.at < other.at || (one.at === other.at && one.order < other.order);

  function push(wait: Wait): void {
    let index = heap.length;
    heap.push(wait);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(wait, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = wait;
  }

  function pop(): Wait | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const isRight = other !== undefined && isBefore(other, one);
      const smaller = isRight ? other : one;
      if (!isBefore(smaller, last)) break;
      heap[index] = smaller;
      index = isRight ? left + 1 : left;
    }
    heap[index] = last;
    return first;
  }

  /** Ends the next wait and lets everything that this sets going run up to its own next wait. */
  async function step(): Promise<boolean> {
    const next = pop();
    if (next === undefined) return false;
    now = Math.max(now, next.at);
    steps += 1;
    next.resolve();
    await quiet();
    return true;
  }

  async function quiet(): Promise<void> {
    await microtasksDone();
    onQuiet();
  }

  function guard(begun: number): void {
    if (steps - begun > MAXIMUM_STEPS) throw new Error('The work goes on and on without an end.');
  }

  return {
    now: () => now,
    steps: () => steps,
    after(ms) {
      return new Promise((resolve) => {
        sequence += 1;
        const order = random === undefined ? sequence : random.fraction();
        push({ at: now + Math.max(0, Math.ceil(ms)), order, resolve });
      });
    },
    async advance(ms) {
      const until = now + ms;
      const begun = steps;
      await quiet();
      for (let next = heap[0]; next !== undefined && next.at <= until; next = heap[0]) {
        await step();
        guard(begun);
      }
      now = Math.max(now, until);
    },
    async settle(work) {
      let isDone = false;
      const done = () => {
        isDone = true;
      };
      work.then(done, done);
      const begun = steps;
      await quiet();
      while (!isDone) {
        if (!(await step())) throw new Error('Nothing is left that could end this work.');
        guard(begun);
      }
      return work;
    },
  };
}

/** Node runs `nextTick` callbacks that microtasks ask for only once no microtask is left. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
