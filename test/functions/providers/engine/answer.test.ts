import { describe, expect, it } from 'vitest';
import { readToken } from '../../../../functions/providers/engine/answer.ts';
import { body, header, kindsServedBy, type Provider } from '../../../../functions/providers/provider.ts';
import { answeredBy, connectionOf, secretOf, tokenIn } from '../provider-harness.ts';

const text = { in: 'text' } as const;

function answerOf(content: string, headers: Record<string, readonly string[]> = {}) {
  return { kind: 'response', status: 200, headers, body: Buffer.from(content) } as const;
}

describe('the token in an answer', () => {
  it.each([
    ['no member', {}],
    ['null', { token: null }],
    ['no object', ['token']],
    ['a member that every object has', Object.create({ token: 'inherited' })],
  ])('is missing from a body with %s', (_, content) => {
    expect(readToken(body('token'), answerOf(''), content)).toEqual({ kind: 'missing' });
  });

  it('is missing from an empty text, and from an answer without its header', () => {
    expect(readToken(text, answerOf(' \r\n'), undefined)).toEqual({ kind: 'missing' });
    expect(readToken(header('X-Key'), answerOf('', { 'x-other': ['t'] }), undefined)).toEqual({ kind: 'missing' });
  });

  it.each([
    ['empty', '', 'is empty'],
    ['with a line break', 'a\r\nb', 'has characters that no header may carry'],
    ['of more than 8192 characters', 'x'.repeat(8193), 'is longer than 8192 characters'],
    ['of another type', 7, 'is no text'],
  ])('that is %s is unusable, and says why (H5)', (_, token, why) => {
    expect(readToken(body('token'), answerOf(''), { token })).toEqual({ kind: 'unusable', why });
  });

  it('may have 8192 characters', () => {
    const token = 'x'.repeat(8192);
    expect(readToken(body('token'), answerOf(''), { token })).toEqual({ kind: 'token', value: token });
  });

  it('in a header is one value, as it stands there (C11, C16)', () => {
    const readIn = (...values: string[]) => readToken(header('X-Key'), answerOf('', { 'x-key': values }), undefined);
    expect(readIn('')).toEqual({ kind: 'unusable', why: 'is empty' });
    expect(readIn('a', 'b')).toEqual({ kind: 'unusable', why: 'comes with conflicting values' });
    expect(readIn('a', 'a')).toEqual({ kind: 'token', value: 'a' });
    expect(readIn(' a')).toEqual({ kind: 'unusable', why: 'has characters that no header may carry' });
    expect(readIn('a b, \t a b  ,a b')).toEqual({ kind: 'token', value: 'a b' });
  });

  it.each(['<html>', '{"error":1}', '["a"]', '"quoted"', 'Sign in first'])('is no text like %s', (content) => {
    expect(readToken(text, answerOf(content), undefined)).toEqual({ kind: 'unusable', why: 'is a document' });
  });

  it('as a text may have any sign but at its start', () => {
    expect(readToken(text, answerOf('a<b{c["d"\n'), undefined)).toEqual({ kind: 'token', value: 'a<b{c["d"' });
  });
});

describe('what is read beside a token', () => {
  const inHeader = {
    secretFields: { key: {} },
    settings: {},
    defaults: { refreshAfter: 0.5 },
    logins: { staff: { method: 'GET', path: '/token', credential: [{ as: 'header', fields: { 'X-Key': '{key}' } }] } },
    tokenAt: header('X-Session'),
    envelope: 'Data',
    placement: { header: 'X-Session' },
    lifetime: { from: 'body', path: ['expires_in'] },
    attributes: { name: { member: 'name', type: 'string' } },
  } as const satisfies Provider;

  async function loginOf(provider: Provider, answer: Parameters<typeof answeredBy>[0], maxTokenAgeSeconds = 86_400) {
    const { upstream } = answeredBy(answer, undefined, provider);
    const connection = connectionOf('any', 'https://upstream.example', { provider, maxTokenAgeSeconds });
    return tokenIn(await upstream.login({ connection, subject: '7', secret: secretOf({ key: 'k' }), timeoutMs: 1 }));
  }

  it('is in the body, where the token is in a header of an upstream with an envelope', async () => {
    const headers = { 'x-session': ['t'] };
    const issued = await loginOf(inHeader, { headers, body: '{"expires_in":"600.25","name":"A"}' });
    expect(issued.life).toStrictEqual({ seconds: 600.25 });
    expect(issued.attributes).toMatchObject({ name: 'A' });
  });

  it.each(['{}', '{"expires_in":null}', '{"expires_in":"soon"}', '{"expires_in":1e999}', 'no JSON'])(
    'says nothing of the end where it is %s',
    async (content) => {
      const issued = await loginOf(inHeader, { headers: { 'x-session': ['t'] }, body: content });
      expect(issued.life).toStrictEqual({});
    },
  );

  it('never makes a life longer than the maximum age', async () => {
    const issued = await loginOf(inHeader, { headers: { 'x-session': ['t'] }, body: '{"expires_in":7200}' }, 3600);
    expect(issued.life).toStrictEqual({ seconds: 3600 });
  });

  it.each([{ from: 'none' }, { from: 'jwt' }] as const)(
    'is nothing where tokens are opaque and the life is from: %s',
    async (lifetime) => {
      const issued = await loginOf({ ...inHeader, lifetime }, { headers: { 'x-session': ['t'] } });
      expect(issued.life).toStrictEqual({});
    },
  );

  it('a provider may serve staff alone', () => {
    expect(kindsServedBy(inHeader)).toEqual({ system: false, staff: true });
  });
});

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
