import { describe, expect, it } from 'vitest';
import type { Source } from '../../../../functions/core/slot/provider.ts';
import type { HttpHeaders } from '../../../../functions/http/port.ts';
import { parseAnswer, type Reading, readHeader, readValue } from '../../../../functions/providers/engine/answer.ts';
import { body, header } from '../../../../functions/providers/provider.ts';

const NOW = Date.UTC(2026, 0, 1);
const text = { in: 'text' } as const;
const cookies = { in: 'cookies' } as const;

interface Given {
  readonly content?: string;
  readonly headers?: HttpHeaders;
  readonly answer?: 'json' | 'xml' | 'text';
  readonly envelope?: string;
}

async function readIn(source: Source, { content = '', headers = {}, answer = 'json', envelope }: Given = {}) {
  const response = { kind: 'response', status: 200, headers, body: Buffer.from(content) } as const;
  const parsed = await parseAnswer(response, { answer }, NOW);
  return readValue(source, parsed, envelope === undefined ? {} : { envelope });
}

const value = (read: unknown) => ({ kind: 'value', value: read });
const missing: Reading = { kind: 'missing' };

describe('a value in JSON', () => {
  it.each([
    ['no member', '{}'],
    ['null', '{"token":null}'],
    ['a list', '["token"]'],
    ['no object', '"token"'],
    ['half a document', '{"token":"ab'],
    ['a web page', '<html>'],
    ['nothing', ''],
  ])('is missing from %s', async (_, content) => {
    expect(await readIn(body('token'), { content })).toEqual(missing);
  });

  it.each(['toString', 'constructor', '__proto__', 'length'])('is missing where every object has %s', async (name) => {
    expect(await readIn(body(name), { content: '{}' })).toEqual(missing);
    expect(await readIn(body(name), { content: '["a"]' })).toEqual(missing);
  });

  it.each([
    [['a', 'b'], '{"a":{"b":"x"}}', 'x'],
    [['a', 1, 'b'], '{"a":[{},{"b":7}]}', 7],
    [['a', -1], '{"a":["x","y"]}', 'y'],
    [['a.b'], '{"a.b":true}', true],
    [[0], '["x"]', 'x'],
    [[], '"x"', 'x'],
    [['id'], '{"id":9007199254740993}', '9007199254740993'],
    [['id'], '{"id":[9007199254740991],"no":1}', [9007199254740991]],
    [['id', 0], '{"id":[-12345678901234567890]}', '-12345678901234567890'],
    [['life'], '{"life":3599.9999999999999999}', 3600],
  ])('is read at the path %j', async (path, content, expected) => {
    expect(await readIn(body(...path), { content })).toEqual(value(expected));
  });

  it.each([
    [['a', 1], '{"a":["x"]}'],
    [['a', 0], '{"a":{"0":"x"}}'],
    [['a', 'b'], '{"a":"b"}'],
    [['a', 'b'], '{"a":null}'],
  ])('is missing where the path %j leads nowhere', async (path, content) => {
    expect(await readIn(body(...path), { content })).toEqual(missing);
  });

  it('is neither trimmed nor parsed, and a byte order mark is skipped (C11)', async () => {
    expect(await readIn(body('a'), { content: '\uFEFF{"a":" {\\"b\\":1} "}' })).toEqual(value(' {"b":1} '));
    expect(await readIn(body('a'), { content: '{"a":" x "}', answer: 'text' })).toEqual(value(' x '));
  });

  it('is in the envelope, or flat where the envelope has none (C5)', async () => {
    const of = (content: string) => readIn(body('t'), { content, envelope: 'Data' });
    expect(await of('{"Data":{"t":"in"},"t":"out"}')).toEqual(value('in'));
    expect(await of('{"Data":{"t":null},"t":"out"}')).toEqual(missing);
    expect(await of('{"Data":{},"t":"out"}')).toEqual(value('out'));
    expect(await of('{"Data":null,"t":"out"}')).toEqual(value('out'));
    expect(await of('{"t":"out"}')).toEqual(value('out'));
  });
});

describe('a value in XML', () => {
  const of = (content: string, ...path: readonly (string | number)[]) =>
    readIn(body(...path), { content, answer: 'xml' });

  it.each([
    ['<a><b>x</b></a>', ['a', 'b'], 'x'],
    ['<?xml version="1.0"?>\r\n<a><b c="d">x</b></a>', ['a', 'b'], 'x'],
    ['\uFEFF<a>0012</a>', ['a'], '0012'],
    ['<a><b>x</b><b>y</b></a>', ['a', 'b', 1], 'y'],
    ['<a><b><c>x</c></b></a>', ['a', 'b', 0, 'c'], 'x'],
    ['<a><b>x</b></a>', ['a', 'b', -1], 'x'],
    ['<a>1 &amp; 2 &lt; 3&#43;&#x2B;</a>', ['a'], '1 & 2 < 3++'],
    ['<a><![CDATA[x<y&amp;]]></a>', ['a'], 'x<y&amp;'],
    ['<s:a xmlns:s="urn:x"><s:b>x</s:b></s:a>', ['s:a', 's:b'], 'x'],
    ['<a><!-- no --><b>x</b></a>', ['a', 'b'], 'x'],
    ['<a><b/></a>', ['a', 'b'], ''],
  ])('is read as the text that stands there: %s', async (content, path, expected) => {
    expect(await of(content, ...path)).toEqual(value(expected));
  });

  it.each([
    ['a DOCTYPE', '<!DOCTYPE a><a>x</a>'],
    ['a DOCTYPE in small letters', '<!doctype a [<!entity e "x">]><a>&e;</a>'],
    ['an entity', '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'],
    [
      'a bomb of entities',
      `<!DOCTYPE a [<!ENTITY l0 "lol">${Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')}]><a>&l9;</a>`,
    ],
    ['nothing', ''],
    ['no XML', 'x'],
    ['a web page', '<html><body><a>x</a></body></html>'],
    ['a web page in XHTML', '<?xml version="1.0"?>\n<HTML xmlns="http://www.w3.org/1999/xhtml"><a>x</a></HTML>'],
    ['JSON', '{"a":"x"}'],
    ['a tag that does not end', '<a'],
    ['a name that every object has', '<a><__proto__><polluted>x</polluted></__proto__></a>'],
  ])('is missing from %s', async (_, content) => {
    expect(await of(content, 'a')).toEqual(missing);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('is missing from elements nested without end', async () => {
    const content = `${'<a>'.repeat(9_000)}x${'</a>'.repeat(9_000)}`;
    expect(await of(content, 'a', 'a', 'b')).toEqual(missing);
  });

  it('has no entity but those of XML', async () => {
    expect(await of('<a>&e;</a>', 'a')).toEqual(value('&e;'));
  });
});

describe('a whole body as text', () => {
  it.each(['<html>', '{"error":1}', '["a"]', '"quoted"', 'Sign in first'])('is no value like %s', async (content) => {
    expect(await readIn(text, { content })).toEqual({ kind: 'unusable', why: 'is a document' });
  });

  it('may have any sign but at its start', async () => {
    expect(await readIn(text, { content: 'a<b{c["d"\n' })).toEqual(value('a<b{c["d"'));
  });

  it('is missing where there is none', async () => {
    expect(await readIn(text, { content: ' \r\n' })).toEqual(missing);
  });
});

describe('a value in a header', () => {
  const of = (...lines: string[]) => readIn(header('X-Key'), { headers: { 'x-key': lines } });

  it('is one value, as it stands there (C11, C16)', async () => {
    expect(await of('')).toEqual(value(''));
    expect(await of('a', 'b')).toEqual({ kind: 'unusable', why: 'comes with conflicting values' });
    expect(await of('a', 'a')).toEqual(value('a'));
    expect(await of(' a')).toEqual(value(' a'));
    expect(await of('a b, \t a b  ,a b')).toEqual(value('a b'));
  });

  it('is missing from an answer without the header, and found in any case (C14)', async () => {
    expect(await readIn(header('X-Key'), { headers: { 'x-other': ['t'] } })).toEqual(missing);
    expect(await readIn(header('x-KEY'), { headers: { 'x-key': ['t'] } })).toEqual(value('t'));
  });

  describe('values folded into one line by a front end (RFC 9110 §5.3)', () => {
    const readLines = (...lines: string[]) => readHeader({ wfmsgapikey: lines }, 'WFMSGAPIKEY');

    it.each([
      [['new1, new2']],
      [['new1,new2']],
      [['new1\t, new2']],
      [['new1, new1', 'new2']],
      [['new1, ']],
      [[', new1']],
      [['new1, new1,']],
    ])('C16: %j contradicts itself', (lines) => {
      expect(readLines(...lines)).toEqual({ kind: 'unusable', why: 'comes with conflicting values' });
    });

    it.each([[['new1, new1']], [['new1,new1,\tnew1']], [['new1', 'new1, new1']], [['new1']]])(
      'C15: %j is one value, said once or more',
      (lines) => {
        expect(readLines(...lines)).toEqual(value('new1'));
      },
    );

    it.each([[[',']], [[' , ']], [['']]])('C16: %j is empty', (lines) => {
      expect(readLines(...lines)).toEqual(value(''));
    });
  });
});

describe('cookies', () => {
  const all = (...lines: string[]) => readIn(cookies, { headers: { 'set-cookie': lines } });
  const one = (name: string, ...lines: string[]) =>
    readIn({ in: 'cookie', name }, { headers: { 'set-cookie': lines } });

  it('go back as a Cookie header has them, without their attributes and as they were written', async () => {
    const lines = ['B1SESSION=a%2Bb==; path=/b1s; HttpOnly; SameSite=None', 'ROUTEID=.node1; Max-Age=60'];
    expect(await all(...lines)).toEqual(value('B1SESSION=a%2Bb==; ROUTEID=.node1'));
    expect(await one('ROUTEID', ...lines)).toEqual(value('.node1'));
    expect(await one('routeid', ...lines)).toEqual(missing);
  });

  it.each([
    ['has no value', 'S=; Path=/'],
    ['ends at once', 'S=x; Max-Age=0'],
    ['ended before it began', 'S=x; Max-Age=-1'],
    ['ended in 1970', 'S=deleted; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
    ['ended a day ago', 'S=x; expires=Wed, 31 Dec 2025 00:00:00 GMT'],
    ['has no name', '=x'],
  ])('are missing where the one %s', async (_, line) => {
    expect(await all(line)).toEqual(missing);
    expect(await one('S', line)).toEqual(missing);
    expect(await all('S=before', line.replace(/^=/, 'S=; x'))).toEqual(missing);
  });

  it('count by Max-Age before Expires, and by the clock of the answer (RFC 6265 §5.3)', async () => {
    const past = 'Expires=Wed, 31 Dec 2025 00:00:00 GMT';
    expect(await all(`S=x; Max-Age=60; ${past}`)).toEqual(value('S=x'));
    const headers = { 'set-cookie': [`S=x; ${past}`], date: ['Tue, 30 Dec 2025 00:00:00 GMT'] };
    expect(await readIn(cookies, { headers })).toEqual(value('S=x'));
  });

  it('of one name are the last one', async () => {
    expect(await all('S=1', 'T=2', 'S=3')).toEqual(value('T=2; S=3'));
    expect(await one('S', 'S=; Max-Age=0', 'S=3')).toEqual(value('3'));
  });

  it('are missing from an answer that sets none, and in silence where a name is no name', async () => {
    expect(await readIn(cookies)).toEqual(missing);
    expect(await all('__proto__=x')).toEqual(missing);
  });
});
