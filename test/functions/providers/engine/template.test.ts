import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillMembers, fillText, namesIn } from '../../../../functions/core/slot/text.ts';
import type { JsonValue } from '../../../../functions/core/words/json.ts';
import { fillJson, numberTemplateIn } from '../../../../functions/providers/engine/template.ts';
import { settingsOf } from '../../../fuzz/runs.ts';

const values = { a: 'x', b: 'y|z', empty: '', n: '42', absent: undefined };

describe('a text', () => {
  it.each([
    ['plain', 'plain'],
    ['{a}', 'x'],
    ['{a}|{b}', 'x|y|z'],
    ['{empty}', ''],
    ['{{a}', '{a}'],
    ['{{{a}}', '{x}'],
    ['{ a }', '{ a }'],
    ['{}', '{}'],
    ['', ''],
  ])('%j is filled in as %j', (text, filled) => {
    expect(fillText(text, values)).toBe(filled);
  });

  it.each(['{absent}', 'x{absent}', '{a}{nobody}', '{toString}', '{__proto__}'])('%j is absent', (text) => {
    expect(fillText(text, values)).toBeUndefined();
  });

  it('is filled in once: a value that looks like a text stays as it is', () => {
    expect(fillText('{a}', { a: '{b} {{', b: 'no' })).toBe('{b} {{');
    expect(fillText('{a}', { a: '$& $1' })).toBe('$& $1');
  });

  it('has each value encoded on its own, by its name', () => {
    expect(fillText('/{a}/{b}', values, (value, name) => `${name}:${value}`)).toBe('/a:x/b:y|z');
  });

  it('names what it fills in', () => {
    expect(namesIn('{a} {{b} {c}{a}')).toEqual(['a', 'c', 'a']);
  });

  it('without a brace is itself, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{')),
        (text) => {
          expect(fillText(text, {})).toBe(text);
        },
      ),
      settingsOf(100),
    );
  });
});

describe('members', () => {
  it('that name an absent value are left out', () => {
    const members = { user: '{a}', scope: '{absent}', both: '{a}{absent}', grant: 'fixed', none: '{empty}' };
    expect(fillMembers(members, values)).toEqual({ user: 'x', grant: 'fixed', none: '' });
    expect(fillMembers(undefined, values)).toEqual({});
  });
});

describe('JSON', () => {
  it.each<[JsonValue, JsonValue | undefined]>([
    ['{a}', 'x'],
    ['{absent}', undefined],
    [{ user: { name: '{a}', password: '{b}' } }, { user: { name: 'x', password: 'y|z' } }],
    [
      { a: '{a}', b: '{absent}', c: { d: '{absent}' } },
      { a: 'x', c: {} },
    ],
    [
      ['{a}', '{absent}', 1, null, true],
      ['x', 1, null, true],
    ],
    [{ id: { number: '{n}' } }, { id: 42 }],
    [{ id: { number: '1{n}' } }, { id: 142 }],
    [{ id: { number: '{absent}' } }, {}],
    [
      { number: '{n}', unit: 's' },
      { number: '42', unit: 's' },
    ],
    [{ number: 7 }, { number: 7 }],
    [{ '{a}': 'name' }, { '{a}': 'name' }],
    [7, 7],
    [null, null],
  ])('%j is filled in as %j', (template, filled) => {
    expect(fillJson(template, values)).toEqual(filled);
  });

  it('keeps a value a text, whatever it holds', () => {
    expect(JSON.stringify(fillJson({ q: '{v}' }, { v: '","admin":true,"x":"' }))).toBe(
      '{"q":"\\",\\"admin\\":true,\\"x\\":\\""}',
    );
  });

  it('has a number where an object has the one member `number`, a text', () => {
    expect(numberTemplateIn({ number: '{n}' })).toBe('{n}');
    for (const other of [{ number: 1 }, { number: '{n}', x: 1 }, {}, '{n}', null, ['number']]) {
      expect(numberTemplateIn(other)).toBeUndefined();
    }
  });
});
