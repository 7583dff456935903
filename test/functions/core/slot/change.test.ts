import { describe, expect, it } from 'vitest';
import { applyChange, type Change, type Condition, holdsFor } from '../../../../functions/core/slot/change.ts';

interface Note {
  readonly count: number;
  readonly text?: string | undefined;
  readonly names: ReadonlySet<string>;
  readonly held?: { readonly by: string; readonly since?: number | undefined } | undefined;
}

const EMPTY: Note = { count: 0, names: new Set() };
const note: Note = { count: 3, text: 'one', names: new Set(['a']), held: { by: 'me', since: 5 } };

function change(what: Partial<Change<Note>>): Change<Note> {
  return { name: 'change', onlyIf: [], ...what };
}

describe('holdsFor', () => {
  it.each<[Condition<Note>, Note | undefined, boolean]>([
    [{ item: 'present' }, note, true],
    [{ item: 'present' }, undefined, false],
    [{ item: 'absent' }, undefined, true],
    [{ item: 'absent' }, note, false],
    [{ field: 'text', is: 'one' }, note, true],
    [{ field: 'text', is: 'two' }, note, false],
    [{ field: 'text', is: undefined }, EMPTY, true],
    [{ field: 'text', is: undefined }, note, false],
    [{ field: 'count', is: 0 }, undefined, true],
    [{ field: 'count', is: 3 }, undefined, false],
    [{ field: 'count', below: 3 }, note, false],
    [{ field: 'count', below: 4 }, note, true],
    [{ field: 'count', atMost: 3 }, note, true],
    [{ field: 'count', atMost: 2 }, note, false],
    [{ field: 'count', below: -1 }, undefined, true],
    [{ field: 'held.by', is: 'me' }, note, true],
    [{ field: 'held.by', is: 'me' }, EMPTY, false],
    [{ field: 'held.since', atMost: 4 }, note, false],
    [{ field: 'held', present: true }, note, true],
    [{ field: 'held', present: true }, EMPTY, false],
  ])('asks %j of %j: %s', (condition, record, holds) => {
    expect(holdsFor(change({ onlyIf: [condition] }), record)).toBe(holds);
  });

  it('wants every condition', () => {
    expect(holdsFor(change({ onlyIf: [{ item: 'present' }, { field: 'text', is: 'two' }] }), note)).toBe(false);
  });
});

describe('changed', () => {
  it.each<[string, Partial<Change<Note>>, Partial<Note>]>([
    ['sets values, and leaves those that are undefined', { set: { count: 4, text: undefined } }, { count: 4 }],
    ['sets a whole in the place of another', { set: { held: { by: 'you' } } }, { held: { by: 'you' } }],
    ['sets a part and keeps the others', { set: { 'held.by': 'you' } }, { held: { by: 'you', since: 5 } }],
    ['leaves a value that is there', { setIfAbsent: { text: 'two' } }, {}],
    ['adds to a number', { add: { count: 2 } }, { count: 5 }],
    ['adds a member to a set', { add: { names: 'b' } }, { names: new Set(['a', 'b']) }],
    ['clears to what is true of nothing', { clear: ['count', 'text'] }, { count: 0, text: undefined }],
  ])('%s', (_what, made, differs) => {
    expect(applyChange(change(made), note, EMPTY)).toEqual({ ...note, ...differs });
  });

  it('makes an item where there is none', () => {
    const made = change({ set: { 'held.by': 'me' }, setIfAbsent: { text: 'one' }, add: { count: 1, names: 'a' } });

    expect(applyChange(made, undefined, EMPTY)).toEqual({
      count: 1,
      text: 'one',
      names: new Set(['a']),
      held: { by: 'me' },
    });
  });

  it('changes neither the record nor what is true of nothing', () => {
    applyChange(change({ set: { 'held.by': 'you' }, add: { names: 'b' } }), note, EMPTY);

    expect(note).toEqual({ count: 3, text: 'one', names: new Set(['a']), held: { by: 'me', since: 5 } });
    expect(EMPTY.names.size).toBe(0);
  });
});
