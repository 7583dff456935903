import { describe, expect, it } from 'vitest';
import type { Placement } from '../../../../functions/core/slot/provider.ts';
import type { JsonValue } from '../../../../functions/core/words/json.ts';
import { belongsToOther, checkToken, readAttributes } from '../../../../functions/providers/engine/outcome.ts';
import { providerWith } from '../provider-harness.ts';

const BEARER: Placement = { headers: { Authorization: 'Bearer {token}' } };
const own: Placement = { headers: { 'X-Key': '{token}' } };

function answerOf(content: JsonValue | undefined, status = 200) {
  return { status, headers: {}, form: 'JSON' as const, content, text: '', receivedAt: 0 };
}

it.each<[JsonValue, string, boolean]>([
  [88, '88', false],
  ['88', '88', false],
  [null, '88', false],
  [89, '88', true],
  ['', '88', true],
  [['88'], '88', true],
  [9007199254740992, '9007199254740993', true],
])('a token whose owner is %j, for the subject %s, is of another: %s (H10)', (owner, subject, isOther) => {
  const token = `e30.${Buffer.from(JSON.stringify({ userid: owner })).toString('base64url')}.c2ln`;
  expect(belongsToOther(token, providerWith({ ownerClaim: 'userid' }), subject)).toBe(isOther);
});

describe('a token', () => {
  const check = (value: JsonValue, placement = own) => checkToken({ kind: 'value', value }, placement);

  it.each<[string, JsonValue, string]>([
    ['has a line break', 'a\r\nb', 'has characters that no header may carry'],
    ['begins with a blank', ' a', 'has characters that no header may carry'],
    ['ends with a tab', 'a\t', 'has characters that no header may carry'],
    ['has a letter outside ASCII', 'é', 'has characters that no header may carry'],
    ['has more than 16,384 characters', 'x'.repeat(16_385), 'is longer than 16384 characters'],
    ['is a number', 7, 'is no text'],
    ['is an object', {}, 'is no text'],
    ['is a flag', true, 'is no text'],
    ['is the text `null`', 'null', 'is a word for no value, such as `null`'],
    ['is the text `undefined`', 'undefined', 'is a word for no value, such as `null`'],
    ['is the text `None`', 'None', 'is a word for no value, such as `null`'],
  ])('that %s is unusable, and the failure says why (H5)', (_, value, why) => {
    expect(check(value)).toEqual({ kind: 'unusable', why });
  });

  it.each(['x'.repeat(16_384), 'a b+/=.c.d', 'Bearer x', '"quoted"', '{', 'B1SESSION=a; ROUTEID=.node1'])(
    'in a header of its own is taken as it is',
    (value) => {
      expect(check(value)).toEqual({ kind: 'token', value });
    },
  );

  it('that is missing, empty or of no one value is none', () => {
    expect(check('')).toEqual({ kind: 'empty' });
    expect(checkToken({ kind: 'missing' }, own)).toEqual({ kind: 'missing' });
    const conflicting = { kind: 'unusable', why: 'comes with conflicting values' } as const;
    expect(checkToken(conflicting, own)).toEqual(conflicting);
  });

  it.each(['Bearer eyJh.eyJz.x', 'bearer x', '"abc"', "'abc'", 'a b', 'a"'])(
    'behind Bearer is not %j (RFC 6750 §2.1)',
    (value) => {
      expect(check(value, BEARER)).toMatchObject({ kind: 'unusable', why: expect.stringContaining('no bearer token') });
    },
  );

  it.each(['DPoP', 'dpop', ' PoP ', 'MAC'])('behind Bearer is not of the type %s (RFC 6749 §7.1)', (token_type) => {
    const value = { kind: 'value', value: 'abc' } as const;
    const why = expect.stringMatching(/^is of the type \w+, which works with a proof of a key alone/);
    expect(checkToken(value, BEARER, { token_type })).toEqual({ kind: 'unusable', why });
    expect(checkToken(value, own, { token_type })).toEqual({ kind: 'token', value: 'abc' });
  });

  it.each(['Bearer', 'bearer', 'BearerToken', 'JWT', '', null, 7, 'toString'])(
    'behind Bearer may be of the type %j (RFC 6749 §5.1)',
    (token_type) => {
      const value = { kind: 'value', value: 'abc' } as const;
      expect(checkToken(value, BEARER, { token_type })).toEqual({ kind: 'token', value: 'abc' });
      expect(checkToken(value, BEARER, 'a text')).toEqual({ kind: 'token', value: 'abc' });
    },
  );

  it.each(['eyJh.eyJz.x-_', 'a+/~b==', 'x', '00Dx0000000BV7z!AR8AQ.xo9_', 'cdf01657-110d:int', 'Atza|a'])(
    'behind Bearer may be %j',
    (value) => {
      expect(check(value, BEARER)).toEqual({ kind: 'token', value });
    },
  );

  it.each<Placement>([
    { headers: { authorization: 'token {token}' } },
    { headers: { authorization: '{token}' } },
    { headers: { 'x-other': 'Bearer {token}' } },
    { query: { access_token: '{token}' } },
    {},
  ])('placed by %j may have a blank', (placement) => {
    expect(check('a b', placement)).toEqual({ kind: 'token', value: 'a b' });
  });
});

describe('the attributes of a login', () => {
  const provider = providerWith({
    attributes: {
      name: { member: 'userName', type: 'string' },
      age: { member: 'age', type: 'number' },
      role: { member: 'role', names: { 100: 'agent', 200: 'supervisor' } },
    },
  });
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const read = (content: JsonValue | undefined, envelope?: string) =>
    readAttributes({ ...provider, ...(envelope !== undefined && { envelope }) }, answerOf(content), at);

  it('are the members of the right type, and when that was (C6 to C11)', () => {
    expect(read({ userName: ' A ', age: 7, role: 200 })).toEqual({
      name: ' A ',
      age: 7,
      role: 'supervisor',
      asOf: '2026-01-02T03:04:05Z',
    });
  });

  it.each<[string, JsonValue | undefined]>([
    ['absent', {}],
    ['of another type', { userName: 7, age: '7', role: '100' }],
    ['null', { userName: null, age: null, role: null }],
    ['in no object', ['userName']],
    ['in no JSON', undefined],
  ])('that are %s are null, and promote nobody', (_, content) => {
    expect(read(content)).toMatchObject({ name: null, age: null, role: 'unknown' });
  });

  it.each([99, 101, 150, 1e9, -100, 100.5])(
    'have no name for the number %s between or beside known ones (C7)',
    (role) => {
      expect(read({ role })).toMatchObject({ role: 'unknown' });
    },
  );

  it('stand where the token stands: in the envelope, or flat (C5)', () => {
    expect(read({ Data: { token: 't', userName: 'in' }, userName: 'out' }, 'Data')).toMatchObject({ name: 'in' });
    expect(read({ Data: { userName: 'in' }, token: 't', userName: 'out' }, 'Data')).toMatchObject({ name: 'out' });
  });

  it('are read from the body where the token is in a header', () => {
    const logins = { system: [{ url: '/login', reads: { token: { in: 'header', name: 'X-Session' } as const } }] };
    const inHeader = { ...provider, logins, envelope: 'Data' };
    expect(readAttributes(inHeader, answerOf({ userName: 'A' }), at)).toMatchObject({ name: 'A' });
  });

  it('are none where the provider declares none (H5)', () => {
    expect(readAttributes(providerWith({ envelope: 'Data' }), answerOf({ userName: 'A' }), at)).toEqual({});
  });
});
