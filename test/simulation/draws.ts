import { wordsOf } from './seeded-random.ts';

/** The source of the words of a run's random streams. */
export interface Draws {
  /** The next of the run's streams; a run begins them in the same order always. */
  stream(seed: number): () => number;
  /** Says that what is drawn from now on belongs to this part of the run. */
  begin(part: number): void;
}

/** The words that a run drew: by stream, by part. */
export type Tape = readonly ReadonlyMap<number, readonly number[]>[];

/** Words as their seeds have them. */
export const freshDraws: Draws = { stream: wordsOf, begin() {} };

/** The same words, and a tape of them. */
export function recordDraws(): { readonly draws: Draws; readonly tape: Tape } {
  const tape: Map<number, number[]>[] = [];
  let part = 0;
  const draws: Draws = {
    stream(seed) {
      const word = wordsOf(seed);
      const parts = new Map<number, number[]>();
      tape.push(parts);
      return () => {
        const drawn = word();
        const words = parts.get(part);
        if (words === undefined) parts.set(part, [drawn]);
        else words.push(drawn);
        return drawn;
      };
    },
    begin(next) {
      part = next;
    },
  };
  return { draws, tape };
}

/**
 * The words of a tape, part by part, so that a part goes as it went although parts before it are left out; where a
 * part draws more than it did, the words of its own seed follow.
 */
export function replayDraws(tape: Tape): Draws {
  let part = 0;
  let begun = 0;
  let streams = 0;
  return {
    stream(seed) {
      const parts = tape[streams];
      streams += 1;
      let at = -1;
      let taken = 0;
      let more = wordsOf(seed);
      return () => {
        if (at !== begun) {
          at = begun;
          taken = 0;
          more = wordsOf(seed + Math.imul(part + 1, 0x85ebca6b));
        }
        taken += 1;
        return parts?.get(part)?.[taken - 1] ?? more();
      };
    },
    begin(next) {
      part = next;
      begun += 1;
    },
  };
}
