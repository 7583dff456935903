import { describe, expect, it } from 'vitest';
import { readToken } from '../../../../functions/providers/engine/answer.ts';
import { header } from '../../../../functions/providers/provider.ts';

const readIn = (...lines: string[]) =>
  readToken(
    header('WFMSGAPIKEY'),
    { kind: 'response', status: 200, headers: { wfmsgapikey: lines }, body: Buffer.from('') },
    undefined,
  );

describe('a token header that a front end folded into one line (RFC 9110 §5.3)', () => {
  it.each([
    [['new1, new2']],
    [['new1,new2']],
    [['new1\t, new2']],
    [['new1, new1', 'new2']],
    [['new1, ']],
    [[', new1']],
    [['new1, new1,']],
  ])('C16: %j contradicts itself', (lines) => {
    expect(readIn(...lines)).toEqual({ kind: 'unusable', why: 'comes with conflicting values' });
  });

  it.each([[['new1, new1']], [['new1,new1,\tnew1']], [['new1', 'new1, new1']], [['new1']]])(
    'C15: %j is one value, said once or more',
    (lines) => {
      expect(readIn(...lines)).toEqual({ kind: 'token', value: 'new1' });
    },
  );

  it.each([[[',']], [[' , ']], [['']]])('C16: %j is empty', (lines) => {
    expect(readIn(...lines)).toEqual({ kind: 'unusable', why: 'is empty' });
  });
});
