import { describe, expect, it } from 'vitest';
import { readFiles, readPage } from './repository.ts';

const CLAUSES_OF_EACH_UPSTREAM = 21;
const INVARIANTS = [...upTo(19), 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];

const DEFINED_CLAUSE = /^- <a id="([hc]\d+)"><\/a>\*\*([HC]\d+)\*\*/gm;
const DEFINED_INVARIANT = /^(\d+)\. <a id="(invariant-\d+)"><\/a>/gm;
const DEFINED_TIME = /^\| (T \+ \d+ s) \|/gm;

/** `%C3` is an escape, and `C0` the name of the control characters. */
const CLAUSE = /(?<![\w%])[HC][1-9]\d*\b/g;
/** One or more: "invariants 4, 6 and 18", "invariants 1 to 8, 10 to 12". */
const INVARIANT_LIST = /\binvariants?\s+(\d+(?:(?:,? and |, | to |–)\d+)*)/gi;
const TIME = /\bT \+ \d+ s\b/g;

const upstreams = readPage('docs/upstreams.md');
const protocol = readPage('docs/protocol.md');
const clauses = [...upstreams.matchAll(DEFINED_CLAUSE)];
const invariants = [...protocol.matchAll(DEFINED_INVARIANT)];
const defined: ReadonlySet<string> = new Set([
  ...clauses.map(([, , clause = '']) => clause),
  ...invariants.map(([, number = '']) => `invariant ${number}`),
  ...[...protocol.matchAll(DEFINED_TIME)].map(([, time = '']) => time),
]);

/** Lists the citations in a text: clauses, invariants and times of the protocol. */
function citationsIn(text: string): readonly string[] {
  const numbers = [...text.matchAll(INVARIANT_LIST)].flatMap(([, list = '']) => list.match(/\d+/g) ?? []);
  return [
    ...(text.match(CLAUSE) ?? []),
    ...numbers.map((number) => `invariant ${number}`),
    ...(text.match(TIME) ?? []),
  ];
}

/** Lists the citations in a text that no page defines, each once. */
function unknownIn(text: string): readonly string[] {
  return [...new Set(citationsIn(text))].filter((citation) => !defined.has(citation));
}

function upTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describe('docs/upstreams.md', () => {
  it('has every clause, in order, with its number as an anchor', () => {
    const expected = ['H', 'C'].flatMap((upstream) => upTo(CLAUSES_OF_EACH_UPSTREAM).map((n) => `${upstream}${n}`));
    expect(clauses.map(([, , clause]) => clause)).toEqual(expected);
    expect(clauses.map(([, anchor]) => anchor)).toEqual(expected.map((clause) => clause.toLowerCase()));
  });
});

describe('docs/protocol.md', () => {
  it('has every invariant, in order, with its number as an anchor', () => {
    const expected = INVARIANTS.map((n) => [String(n), `invariant-${n}`]);
    expect(invariants.map(([, number, anchor]) => [number, anchor])).toEqual(expected);
  });

  it('defines T and s', () => {
    expect(protocol).toMatch(/^- \*\*T\*\* is /m);
    expect(protocol).toMatch(/^- \*\*s\*\* is /m);
  });
});

describe('a citation in code, tests and docs', () => {
  it('is defined', () => {
    const files = readFiles(/\.(?:[cm]?[jt]s|md|html|css|py|go)$/);
    expect(files.length).toBeGreaterThan(300);
    const unknown = files.flatMap(({ path, text }) => unknownIn(text).map((citation) => `${path} cites ${citation}`));
    expect(unknown).toEqual([]);
  });

  it('is found by this test: it reports one that nothing defines', () => {
    // Put together here, or the test above would find them in this file.
    const [clause, time] = [`C${22}`, `T + ${8} s`];
    expect(unknownIn(`Never trimmed (C11, ${clause}), though it holds %C3%B6.`)).toEqual([clause]);
    expect(unknownIn(`C5 to ${clause} within ${time}, not T + 6 s`)).toEqual([clause, time]);
    const list = `4, 6 and ${20}`;
    expect(unknownIn(`invariants ${list}`)).toEqual([`invariant ${20}`]);
    expect(unknownIn(`invariants 1 to 8, 10 to ${90}`)).toEqual([`invariant ${90}`]);
  });
});
