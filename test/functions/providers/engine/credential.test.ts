import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { findSuspects, readCredential } from '../../../../functions/providers/engine/credential.ts';
import { communityWebApi } from '../../../../functions/providers/presets/community-web-api.ts';
import { googleServiceAccount } from '../../../../functions/providers/presets/google-service-account.ts';
import { helpmaster } from '../../../../functions/providers/presets/helpmaster.ts';
import { providers } from '../../../../functions/providers/registry.ts';
import { settingsOf } from '../../../fuzz/runs.ts';
import { selfSigned } from '../../http/raw-server.ts';
import { answeredBy, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';
import { ecKey, rsaKey } from '../test-keys.ts';

describe('the secret of a connection', () => {
  it('is read as the fields that the provider declares, and no other', () => {
    const secret = secretOf({ username: 'u', password: 'p|w', note: 'for the night shift' });
    expect(readCredential(communityWebApi, secret)).toEqual({
      kind: 'credential',
      fields: { username: 'u', password: 'p|w' },
    });
  });

  it.each([
    ['no object', '["a"]', 'is not a JSON object with `username` and `password`'],
    ['no JSON', 'u|p', 'is not a JSON object with `username` and `password`'],
    ['nothing in it', '{}', 'has no `username`; has no `password`'],
    ['a number', '{"username":"u","password":7}', 'has a `password` that is no text'],
    ['a blank', '{"username":" \\t","password":"p"}', 'has an empty `username`'],
    ['a control character', '{"username":"u","password":"p\\u0000"}', 'has a control character in `password`'],
    [
      'an unpaired surrogate',
      '{"username":"u","password":"p\\ud800"}',
      'has a broken character (an unpaired surrogate) in `password`',
    ],
    ['the separator', '{"username":"a|b","password":"p"}', 'has `|` in `username`, where it would separate two fields'],
  ])('with %s is refused in words that name the field (C4)', (_, text, problem) => {
    expect(readCredential(communityWebApi, new Secret(text))).toEqual({ kind: 'problem', problem });
  });

  it('of HelpMaster is asked for by the name of its one field (H2)', () => {
    expect(readCredential(helpmaster, new Secret('key'))).toMatchObject({
      problem: 'is not a JSON object with `apiKey`',
    });
  });

  it('that cannot be used is reported with the connection and what to do', async () => {
    const { upstream, sent } = answeredBy({});
    const connection = connectionOf('helpmaster', 'https://help.example');
    const attempt = { connection, subject: 'system', secret: secretOf({ apiKey: ' ' }), timeoutMs: 1 };
    const { code, detail } = failureIn(await upstream.login(attempt));
    expect(code).toBe('secret_invalid');
    for (const words of ['desk', 'has an empty `apiKey`', 'Nothing was sent']) expect(detail).toContain(words);
    expect(sent).toEqual([]);
  });

  it('may hold any word: nothing is refused or warned of but what the provider names', async () => {
    const { upstream } = answeredBy({ body: '{"authToken":"t"}' });
    const connection = connectionOf('community-web-api', 'https://wfm.example');
    const secret = secretOf({ username: 'undefined', password: 'undefined' });
    const issued = tokenIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
    expect(issued).not.toHaveProperty('warning');
  });

  it('is warned of field by field where a server may cut it (C4)', async () => {
    const provider = { ...communityWebApi, secretFields: { username: { suspect: '@' }, password: { suspect: '|' } } };
    const { upstream } = answeredBy({ status: 401 });
    const connection = connectionOf('community-web-api', 'https://wfm.example', { provider });
    const secret = secretOf({ username: 'me@desk', password: 'p|w' });
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
    expect(failed.warning).toContain('`username` holds "@", `password` holds "|"');
    expect(failed.warning).not.toContain('p|w');
  });
});

describe('an optional field', () => {
  const provider = { secretFields: { id: {}, keyId: { optional: true } } } as const;
  const fieldsIn = (secret: unknown) => readCredential(provider, secretOf(secret));

  it('may be left out or null, and is read where it is there', () => {
    expect(fieldsIn({ id: 'a' })).toEqual({ kind: 'credential', fields: { id: 'a' } });
    expect(fieldsIn({ id: 'a', keyId: null })).toEqual({ kind: 'credential', fields: { id: 'a' } });
    expect(fieldsIn({ id: 'a', keyId: 'k' })).toEqual({ kind: 'credential', fields: { id: 'a', keyId: 'k' } });
  });

  it.each(['', ' ', 7, 'a\nb'])('that is there must be one: %j', (keyId) => {
    expect(fieldsIn({ id: 'a', keyId })).toMatchObject({ problem: expect.stringContaining('`keyId`') });
  });
});

describe('PEM in a field', () => {
  const provider = { secretFields: { key: { kind: 'pem' } } } as const;
  const keyIn = (key: string) => readCredential(provider, secretOf({ key }));
  const rsa = rsaKey();
  const ec = ecKey('P-256');
  const { cert } = selfSigned('client.example');

  it.each<[string, (pem: string) => string]>([
    ['as it is', (pem) => pem],
    ['without its last line break', (pem) => pem.trimEnd()],
    ['with CR LF', (pem) => pem.replaceAll('\n', '\r\n')],
    ['with CR', (pem) => pem.replaceAll('\n', '\r')],
    ['with \\n written out', (pem) => pem.replaceAll('\n', '\\n')],
    ['with \\r\\n written out', (pem) => pem.replaceAll('\n', '\\r\\n')],
    ['with blanks in place of line breaks', (pem) => pem.replaceAll('\n', ' ')],
    ['with no line breaks at all', (pem) => pem.replaceAll('\n', '')],
    ['with blanks around and indented', (pem) => `  \n${pem.replaceAll('\n', '\n    ')}\t`],
    ['with text before and after', (pem) => `Bag Attributes\n  friendlyName: me\n${pem}the end`],
  ])('%s becomes what openssl reads', (_, lose) => {
    for (const pem of [rsa.pkcs8, rsa.older, ec.pkcs8, ec.older, cert, cert + ec.pkcs8]) {
      const read = keyIn(lose(pem));
      expect(read).toEqual({ kind: 'credential', fields: { key: pem } });
    }
  });

  it('may have the parameters of its curve before it, as openssl writes them', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const read = keyIn((parameters + ec.older).replaceAll('\n', ''));
    if (read.kind === 'problem') throw new Error(read.problem);
    expect(createPrivateKey(read.fields['key'] ?? '').asymmetricKeyType).toBe('ec');
  });

  it.each([
    ['base64 alone', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'],
    ['no end', '-----BEGIN PRIVATE KEY-----\nMIIE'],
    ['another end', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END CERTIFICATE-----'],
    ['nothing inside', '-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----'],
    ['the path of a file', '/home/me/key.pem'],
    ['signs that base64 does not have', '-----BEGIN PRIVATE KEY-----\nMI$E\n-----END PRIVATE KEY-----'],
  ])('is missing from %s, and the problem quotes nothing of it', (_, text) => {
    const read = keyIn(text);
    expect(read).toEqual({ kind: 'problem', problem: 'has no PEM in `key`, from -----BEGIN to -----END' });
  });

  it('is refused like any field where it is no text or empty', () => {
    expect(keyIn(' ')).toMatchObject({ problem: 'has an empty `key`' });
    expect(readCredential(provider, secretOf({ key: 7 }))).toMatchObject({ problem: 'has a `key` that is no text' });
    expect(readCredential(provider, secretOf({}))).toMatchObject({ problem: 'has no `key`' });
  });

  it('is read from a key file of Google’s as it was downloaded', () => {
    const file = {
      type: 'service_account',
      project_id: 'a-project',
      private_key_id: '0123abcd',
      private_key: rsa.pkcs8,
      client_email: 'broker@a-project.iam.gserviceaccount.example',
      client_id: '1234567890',
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      token_uri: 'https://oauth2.googleapis.com/token',
      universe_domain: 'googleapis.com',
    };
    expect(readCredential(googleServiceAccount, new Secret(JSON.stringify(file, undefined, 2)))).toEqual({
      kind: 'credential',
      fields: { client_email: file.client_email, private_key: rsa.pkcs8, private_key_id: '0123abcd' },
    });
  });
});

describe('a field that was copied with more than it', () => {
  const provider = { secretFields: { key: {}, pem: { kind: 'pem', optional: true } } } as const;

  it.each([
    ['a blank at its end', 'abc '],
    ['a blank at its start', ' abc'],
    ['quotation marks around it', '"abc"'],
    ['apostrophes around it', "'abc'"],
    ['a no-break space', 'abc\u00a0'],
    ['a zero-width space inside', 'ab\u200bc'],
    ['a byte order mark', '\ufeffabc'],
    ['a mark of writing direction', '\u202eabc'],
  ])('is sent as it is, and warned of: %s', (_, key) => {
    const warning = findSuspects(provider, { key });
    expect(warning).toContain('`key`');
    expect(warning).not.toContain('abc');
    expect(readCredential(provider, secretOf({ key }))).toEqual({ kind: 'credential', fields: { key } });
  });

  it.each(['abc', 'a b c', '"abc', 'a"b"c', 'é', '"', "it's"])('is no such where it is %j', (key) => {
    expect(findSuspects(provider, { key, pem: ' "quoted" ' })).toBeUndefined();
  });

  it('is warned of with the outcome of a login, whatever it was', async () => {
    const connection = connectionOf('helpmaster', 'https://help.example');
    const attempt = { connection, subject: 'system', secret: secretOf({ apiKey: 'key\u200b' }), timeoutMs: 1 };
    const issued = await answeredBy({ body: '{"token":"t"}' }).upstream.login(attempt);
    expect(issued).toMatchObject({ kind: 'token', warning: expect.stringContaining('`apiKey`') });
    const failed = await answeredBy({ status: 500 }).upstream.login(attempt);
    expect(failed).toMatchObject({ kind: 'failure', warning: expect.stringContaining('`apiKey`') });
  });
});

const MARK = 'Xq7-credential';

describe('whatever a secret holds', () => {
  const scalar = fc.oneof(
    fc.string(),
    fc.constantFrom(MARK, '', ' a', 'a\r\nb', 'é', null, true, 1e308),
    fc.jsonValue(),
  );

  it('is a credential or a problem that quotes nothing of it', () => {
    const value = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .dictionary(fc.constantFrom('apiKey', 'username', 'password', '__proto__'), scalar, { noNullPrototype: true })
        .map((fields) => JSON.stringify(fields)),
    );
    fc.assert(
      fc.property(value, fc.constantFrom(...Object.values(providers)), (text, provider) => {
        const read = readCredential(provider, new Secret(text));
        if (read.kind === 'problem') {
          expect(read.problem).not.toContain(MARK);
          return;
        }
        for (const [name, field] of Object.entries(read.fields)) {
          expect(Object.hasOwn(provider.secretFields, name)).toBe(true);
          expect(field.trim()).not.toBe('');
          expect(field).not.toMatch(/\p{Cc}/u);
          expect(() => encodeURIComponent(field)).not.toThrow();
        }
      }),
      settingsOf(100),
    );
  });
});
