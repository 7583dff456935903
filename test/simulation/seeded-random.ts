import type { Random } from '../../functions/core/words/platform.ts';

/** Randomness determined by a seed alone, so that a run can be repeated. */
export interface SeededRandom extends Random {
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  chance(probability: number): boolean;
  /** The first of several things to come true, each with its probability. */
  anyOf<Name extends string>(chances: Partial<Record<Name, number>>): Name | undefined;
  /** Counts the chances that came true: the faults injected. */
  hits(): number;
  /** One of the choices; where `undefined` is among them it comes first. */
  pick<const Choices extends readonly [unknown, ...unknown[]]>(choices: Choices): Choices[number];
}

/** Gives 32-bit words that a seed determines (mulberry32: small, fast, and good enough to choose interleavings). */
export function wordsOf(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Creates randomness from a seed, or from words that come from elsewhere. */
export function createSeededRandom(seed: number, word: () => number = wordsOf(seed)): SeededRandom {
  let ids = 0;
  let hits = 0;

  const fraction = () => word() / 2 ** 32;
  const integer = (least: number, most: number) => least + Math.floor(fraction() * (most - least + 1));

  function chance(probability: number): boolean {
    const isHit = probability > 0 && fraction() < probability;
    if (isHit) hits += 1;
    return isHit;
  }

  return {
    fraction,
    integer,
    chance,
    anyOf<Name extends string>(chances: Partial<Record<Name, number>>) {
      for (const name in chances) if (chance(chances[name] ?? 0)) return name;
      return undefined;
    },
    hits: () => hits,
    pick: (choices) => choices[integer(0, choices.length - 1)] ?? choices[0],
    uuid() {
      ids += 1;
      return `id-${ids}-${word().toString(16)}`;
    },
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
  };
}
