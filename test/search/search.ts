import { hash } from 'node:crypto';
import type { Broken, Plan } from './plan.ts';
import { createSmallWorld, type SmallWorld } from './small-world.ts';

/** Result of a search. */
export interface Found {
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest way to a new state. */
  readonly depth: number;
  /** Shortest way to a broken invariant, step by step; empty if there is none. */
  readonly history: readonly string[];
}

/** A state, by the way on which it was reached first. */
interface Reached {
  readonly from: Reached | undefined;
  readonly choice: number;
  readonly depth: number;
  readonly choices: number;
}

/**
 * Searches every way that a plan leaves open, breadth first, and checks the invariants at each step. A running function
 * cannot be copied, so each way is run from its beginning. If two ways lead to one state, only one of them is continued.
 */
export async function search(plan: Plan, broken?: Partial<Broken>): Promise<Found> {
  const known = new Map<string, number>();
  const reached: Reached[] = [];
  let transitions = 0;

  /** Runs a way again with one more step, and notes the state if it is new; returns the history if an invariant broke. */
  async function go(from: Reached | undefined, choice: number): Promise<readonly string[]> {
    const said: string[] = [];
    const world = createSmallWorld(plan, broken);
    for (const step of from === undefined ? [] : [...listChoicesTo(from), choice]) said.push(await take(world, step));
    const isOver = world.isOver();
    const key = hash('md5', world.computeKey(), 'base64');
    const choices = world.listChoices().length;
    const before = known.get(key);
    if (before !== undefined && before !== choices) throw new Error('Two different states have one key.');
    if (world.broken.length === 0 && before === undefined) {
      known.set(key, choices);
      reached.push({ from, choice, depth: (from?.depth ?? -1) + 1, choices });
      if (isOver) await world.heal();
    }
    return world.broken.length === 0 ? [] : [...said, ...world.broken];
  }

  let history = await go(undefined, 0);
  for (let at = 0; at < reached.length; at += 1) {
    const from = reached[at];
    for (let choice = 0; choice < (from?.choices ?? 0) && history.length === 0; choice += 1) {
      history = await go(from, choice);
      transitions += 1;
    }
  }
  return { states: known.size, transitions, depth: reached.at(-1)?.depth ?? 0, history };
}

function listChoicesTo({ from, choice }: Reached): number[] {
  return from === undefined ? [] : [...listChoicesTo(from), choice];
}

async function take(world: SmallWorld, index: number): Promise<string> {
  const choice = world.listChoices()[index];
  if (choice === undefined) throw new Error('The same choices led elsewhere.');
  await world.take(choice);
  return choice.what;
}
