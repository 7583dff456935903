import { describe, expect, it } from 'vitest';
import { faultOf, suspectIn } from '../../client/cli/secrets.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { findSuspects, readCredential } from '../../functions/providers/engine/credential.ts';
import { communityWebApi } from '../../functions/providers/presets/community-web-api.ts';
import { checkSecrets } from '../../local/secrets-file-check.ts';

const fields = ['username', 'password'].map((name) => ({ name, kind: 'text', required: true }));

/** Checks a password in three places: the broker, `secret set`, and the secrets file of `npm start`. */
function takenBy(password: unknown) {
  const value = { username: 'svc', password };
  const file = Buffer.from(JSON.stringify({ wfm: value }));
  const required = new Map([['wfm', communityWebApi.secretFields]]);
  return {
    broker: readCredential(communityWebApi, new Secret(JSON.stringify(value))).kind === 'credential',
    secretSet: faultOf(value, fields) === undefined,
    secretsFile: checkSecrets(file, { path: 'secrets.json', required, nameOf: (name) => name }).ok,
  };
}

describe('the checks of a secret agree', () => {
  it.each([
    ['a password', 'pass|word', true],
    ['one with blanks at its ends', ' a b ', true],
    ['one of other scripts and planes', 'pässwörd🔑', true],
    ['nothing', undefined, false],
    ['null', null, false],
    ['a number', 7, false],
    ['an empty text', '', false],
    ['blanks', ' \u00a0\u2003', false],
    ['a newline at the end', 'password\n', false],
    ['a NUL', 'pass\u0000word', false],
    ['a control character of Latin 1', 'pass\u0085word', false],
    ['the first half of a surrogate pair', 'pass\ud800word', false],
    ['the second half', '\udc00', false],
  ])('on %s', (_name, password, isTaken) => {
    expect(takenBy(password)).toEqual({ broker: isTaken, secretSet: isTaken, secretsFile: isTaken });
  });
});

describe('the warnings of a secret agree', () => {
  it.each([
    ['pass|word', 'holds "|"'],
    [' Xq7', 'begins or ends with a blank'],
    ['Xq7\u00a0', 'cannot be seen'],
    ['Xq7\u200bb', 'cannot be seen'],
    ['Xq7\u00adb', 'cannot be seen'],
    ['Xq7\u3000b', 'cannot be seen'],
    ['Xq7\u3164', 'cannot be seen'],
    ['Xq7\ufe0f', 'cannot be seen'],
    ['Xq7\u2800', 'cannot be seen'],
    ['"Xq7"', 'stands in quotation marks'],
    ['“Xq7”', 'stands in quotation marks'],
    ['»Xq7«', 'stands in quotation marks'],
    ['‚Xq7‘', 'stands in quotation marks'],
    ['a b', undefined],
    ['"Xq7', undefined],
    ['pässwörd🔑', undefined],
  ])('on %j', (password, words) => {
    const value = { username: 'svc', password };
    const declared = [
      { name: 'username', kind: 'text', required: true },
      { name: 'password', kind: 'text', required: true, suspect: '|' },
    ];
    for (const said of [suspectIn(value, declared), findSuspects(communityWebApi, value)]) {
      if (words === undefined) expect(said).toBeUndefined();
      else expect(said).toContain(words);
      expect(said ?? '').not.toContain(password);
    }
  });
});
