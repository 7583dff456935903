import { describe, expect, it } from 'vitest';
import {
  joinLine,
  leaveLine,
  readTurns,
  type Ticket,
  type Turns,
  writeTurns,
} from '../../../../functions/core/proxy/turns.ts';

const ticket = (caller: string, id = caller): Ticket => ({ caller, id, until: 10 });
const orderOf = ({ line }: Turns) => line.map(({ id }) => id).join(' ');

describe('turns', () => {
  it('are read as they were written, without the calls that have given up', () => {
    const turns = { last: 'a', line: [ticket('b'), { ...ticket('c'), until: 20 }] };

    expect(readTurns(writeTurns(turns), 9)).toEqual(turns);
    expect(orderOf(readTurns(writeTurns(turns), 10))).toBe('c');
    expect(readTurns(writeTurns({ last: 'a', line: [] }), 0)).toEqual({ last: 'a', line: [] });
  });

  it.each([undefined, '', ' ', 'a', 'a b', 'a x/y/z', 'a //'])('are nobody’s where nothing is readable: %j', (text) => {
    expect(readTurns(text, 0).line).toEqual([]);
  });

  it('go first come, first served', () => {
    const line = ['b', 'c', 'd'].reduce((turns, id) => joinLine(turns, ticket(id)), readTurns(undefined, 0));

    expect(orderOf(line)).toBe('b c d');
    expect(orderOf(leaveLine(line, { id: 'c' }))).toBe('b d');
    expect(leaveLine(line, { id: 'another' })).toEqual(line);
  });

  it('do not come twice in a row to a caller while others wait', () => {
    const waitsAgain = joinLine({ last: 'a', line: [] }, ticket('a', 'a2'));
    const others = ['b', 'c'].reduce((turns, id) => joinLine(turns, ticket(id)), waitsAgain);

    expect(orderOf(others)).toBe('b c a2');
  });
});
