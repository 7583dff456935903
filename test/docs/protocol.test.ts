import { describe, expect, it } from 'vitest';
import { type BackOffKind, backOffMs } from '../../functions/core/slot/back-off.ts';
import type { Condition } from '../../functions/core/slot/change.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import * as changes from '../../functions/core/slot/changes.ts';
import { leaseLengthMs, mintWindowMs, timeNeededToMintMs, waitLimitMs } from '../../functions/core/slot/lease.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/slot/token.ts';
import { statusByCode } from '../../functions/core/words/errors.ts';
import { everyChange, everyKeptChange, sealedToken as token } from '../functions/core/slot/every-change.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import { readPage } from './repository.ts';

const page = readPage('docs/protocol.md');

/** The rows of the page's one table with this head. */
function tableOf(...head: readonly string[]): readonly (readonly string[])[] {
  const lines = page.split('\n').map((line) => line.trim());
  const at = lines.indexOf(`| ${head.join(' | ')} |`);
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('|'));
  expect(at, `a table of ${head.join(', ')}`).toBeGreaterThan(0);
  return lines.slice(at + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** Lists the words in backticks, each once, sorted. */
function named(cell = ''): readonly string[] {
  return [...new Set([...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))].sort();
}

function fieldOf(condition: Condition<SlotRecord>): string {
  return 'item' in condition ? 'item' : condition.field;
}

function assignedBy({ set = {}, setIfAbsent = {} }: SlotChange): readonly string[] {
  const values = Object.entries({ ...set, ...setIfAbsent });
  return values.flatMap(([field, value]) => (value === undefined ? [] : [field]));
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

describe('the table of changes', () => {
  const rows = tableOf('change', 'holds only if', 'sets', 'adds 1 to', 'clears');

  it('has every change', () => {
    expect(rows.flatMap(([name]) => named(name)).sort()).toEqual(Object.keys(changes).sort());
    const ofKept = tableOf('change of `!kept`', 'holds only if', 'does');
    expect(ofKept.flatMap(([name]) => named(name)).sort()).toEqual(Object.keys(everyKeptChange).sort());
  });

  it.each(Object.entries(everyChange))(
    'says of `%s` what its conditions and its fields are',
    (name, shapes: SlotChange[]) => {
      const [, conditions, sets, adds, clears] = rows.find(([first]) => first === `\`${name}\``) ?? [];
      expect(named(conditions)).toEqual(sorted(shapes.flatMap(({ onlyIf }) => onlyIf.map(fieldOf))));
      expect(named(sets)).toEqual(sorted(shapes.flatMap(assignedBy)));
      expect(named(adds)).toEqual(sorted(shapes.flatMap(({ add = {} }) => Object.keys(add))));
      expect(named(clears)).toEqual(sorted(shapes.flatMap(({ clear = [] }) => clear)));
      for (const { add = {} } of shapes) expect(new Set([1, ...Object.values(add)])).toEqual(new Set([1]));
    },
  );
});

describe('the item', () => {
  it('has every field of a record', () => {
    const every: Record<keyof Required<SlotRecord>, unknown> = {
      ...{
        failure: 1,
        refusedVersion: 1,
        unprovenVersion: 1,
        renewalBarredUntil: 1,
        reports: 1,
        reportedAt: 1,
        turns: 1,
        token,
        lease: 1,
        dueAt: 1,
        generation: 1,
        fence: 1,
      },
      ...{ renewalNotBefore: 1, renewalTries: 1, renewalFailure: 1 },
      ...{ notBefore: 1, tries: 1, rejectedGeneration: 1, lastHandedOutAt: 1, refreshAskedAt: 1, ttlSeconds: 1 },
    };
    const rows = tableOf('field', 'attributes', 'meaning');
    expect(rows.flatMap(([field]) => named(field)).sort()).toEqual(Object.keys(every).sort());
  });
});

describe('T and s', () => {
  it('are those in the code', () => {
    const connection = helpdeskConnection({ timeoutSeconds: 7 });
    const ways = { mintWindowMs, waitLimitMs, leaseLengthMs };
    const told = tableOf('time', 'function', 'what it is for').map(([time = '', name]) => [
      ...named(name),
      (7 + Number(/^T \+ (\d+) s$/.exec(time)?.[1])) * 1000,
    ]);
    expect(told).toEqual(Object.entries(ways).map(([name, way]) => [name, way(connection)]));
    // A caller that takes the lease has the time that its mint may take.
    expect(timeNeededToMintMs(connection)).toBe(mintWindowMs(connection));
    expect(page).toContain(`**s** is ${CLOCK_SKEW_MS / 1000} s`);
  });
});

describe('the table of back-offs', () => {
  it('has every kind with its figures', () => {
    const kinds = {
      not_judged: 1,
      unknown: 1,
      ambiguous_login: 1,
      locked: 1,
      refused: 1,
      misconfigured: 1,
    } satisfies Record<BackOffKind, 1>;
    const waitedMs = (kind: BackOffKind, tries: number, fraction: number) =>
      backOffMs(kind, tries, { uuid: () => '', bytes: () => new Uint8Array(), fraction: () => fraction });
    const computed = Object.keys(kinds).map((name) => {
      const kind = name as BackOffKind;
      const [first, longest] = [waitedMs(kind, 1, 1), waitedMs(kind, 99, 1)];
      const isJittered = waitedMs(kind, 99, 0) === longest / 2;
      return [`\`${kind}\``, `${first / 1000} s`, `${longest / 1000} s`, isJittered ? 'half to whole' : 'none'];
    });
    const told = tableOf('kind', 'first', 'longest', 'jitter', 'after').map((row) => row.slice(0, 4));
    expect(told).toEqual(computed);
  });
});

describe('the table of codes', () => {
  it('has every code with its status', () => {
    const told = tableOf('code', 'status', 'when').map(([code, status]) => [...named(code), Number(status)]);
    expect(told).toEqual(Object.entries(statusByCode));
  });
});
