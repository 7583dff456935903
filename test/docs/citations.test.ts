import { describe, expect, it } from 'vitest';
import { readFiles, readPage } from './repository.ts';

const CLAUSES_OF_EACH_UPSTREAM = 21;

const DEFINED_CLAUSE = /^- <a id="([hc]\d+)"><\/a>\*\*([HC]\d+)\*\*/gm;

/** `%C3` is an escape, and `C0` the name of the control characters. */
const CLAUSE = /(?<![\w%])[HC][1-9]\d*\b/g;

/** The clauses that a text cites, each once. */
function clausesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(CLAUSE)].map(([clause]) => clause))];
}

const defined = [...readPage('docs/upstreams.md').matchAll(DEFINED_CLAUSE)];
const clauses = new Set(defined.map(([, , clause = '']) => clause));

/** What a text cites and no page defines. */
function unknownIn(text: string): readonly string[] {
  return clausesIn(text).filter((clause) => !clauses.has(clause));
}

describe('docs/upstreams.md', () => {
  it('has every clause, in order, with its number as an anchor', () => {
    const numbers = Array.from({ length: CLAUSES_OF_EACH_UPSTREAM }, (_, index) => index + 1);
    expect([...clauses]).toEqual(['H', 'C'].flatMap((upstream) => numbers.map((number) => `${upstream}${number}`)));
    for (const [, anchor, clause] of defined) expect(anchor).toBe(clause?.toLowerCase());
  });
});

describe('what code, tests and docs cite', () => {
  it('is defined', () => {
    const files = readFiles(/\.(?:[cm]?[jt]s|md|html|css|py|go)$/);
    expect(files.length).toBeGreaterThan(300);
    const unknown = files.flatMap(({ path, text }) => unknownIn(text).map((citation) => `${path} cites ${citation}`));
    expect(unknown).toEqual([]);
  });

  it('is seen by this test: it knows a citation that nothing defines', () => {
    // Put together, or the test above would find them here.
    const madeUp = `C${22}`;
    expect(unknownIn(`Never trimmed (C11, ${madeUp}).`)).toEqual([madeUp]);
    expect(unknownIn(`${madeUp} to C21, as in name=M%C3%BCller`)).toEqual([madeUp]);
  });
});
