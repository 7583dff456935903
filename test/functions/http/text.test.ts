import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../../functions/http/text.ts';
import { settingsOf } from '../../fuzz/runs.ts';

const decode = (body: Buffer, type?: string) =>
  decodeText({ body, headers: type === undefined ? {} : { 'content-type': [type] } });
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('decodeText', () => {
  it.each<[string, Buffer, string | undefined, string]>([
    ['UTF-8 where nothing is said', Buffer.from('"é€"'), undefined, '"é€"'],
    ['UTF-8 where another type is said', Buffer.from('"é€"'), 'application/json', '"é€"'],
    ['windows-1252', latin1('"\xe9\x80"'), 'application/json; charset=windows-1252', '"é€"'],
    ['ISO-8859-1, quoted and in capitals', latin1('"\xe9"'), 'text/plain;Charset="ISO-8859-1"', '"é"'],
    ['ISO-8859-15 behind another parameter', latin1('"\xa4"'), 'text/plain; a=b; charset=iso-8859-15 ; c=d', '"€"'],
    ['Shift_JIS', Buffer.from([0x22, 0x93, 0xfa, 0x22]), 'application/json; charset=shift_jis', '"日"'],
    ['UTF-16', Buffer.from('"é"', 'utf16le'), 'application/json; charset=utf-16', '"é"'],
    ['a byte order mark against the label', Buffer.from('\ufeff"é"'), 'text/plain; charset=windows-1252', '"é"'],
    ['the byte order mark of UTF-16', Buffer.from('\ufeff"é"', 'utf16le'), undefined, '"é"'],
    ['UTF-8 labelled UTF-16', Buffer.from('{"a":1}'), 'application/json; charset=utf-16', '{"a":1}'],
    ['a charset that nobody knows', Buffer.from('"é"'), 'application/json; charset=klingon', '"é"'],
    [
      'the declaration of XML',
      latin1('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>'),
      'text/xml',
      '<a>é</a>',
    ],
    [
      'XML that says UTF-16 and is none',
      Buffer.from('<?xml version="1.0" encoding="utf-16"?><a>é</a>'),
      undefined,
      '<a>é</a>',
    ],
    ['nothing', Buffer.alloc(0), 'text/plain; charset=utf-16', ''],
  ])('reads %s', (_, body, type, text) => {
    expect(decode(body, type).replace(/^<\?[^>]*>/, '')).toBe(text);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, label) => {
        expect(typeof decode(Buffer.from(bytes), `text/plain; charset=${label}`)).toBe('string');
      }),
      settingsOf(100),
    );
  });
});
