import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { communityWebApi } from '../../../../functions/providers/community-web-api.ts';
import { readCredential } from '../../../../functions/providers/engine/credential.ts';
import { helpmaster } from '../../../../functions/providers/helpmaster.ts';
import { providers } from '../../../../functions/providers/registry.ts';
import { answeredBy, connectionOf, failureIn, secretOf, tokenIn } from '../provider-harness.ts';

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
    const { upstream } = answeredBy({ status: 401 }, undefined, provider);
    const connection = connectionOf('community-web-api', 'https://wfm.example');
    const secret = secretOf({ username: 'me@desk', password: 'p|w' });
    const failed = failureIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 1 }));
    expect(failed.warning).toContain('`username` holds "@", `password` holds "|"');
    expect(failed.warning).not.toContain('p|w');
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
        for (const field of Object.values(read.fields)) {
          expect(field.trim()).not.toBe('');
          expect(field).not.toMatch(/\p{Cc}/u);
          expect(() => encodeURIComponent(field)).not.toThrow();
        }
      }),
    );
  });
});
