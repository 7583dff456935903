import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterAll, expect, it } from 'vitest';
import { makeFolder } from '../system/own-broker.ts';
import { tokenBroker } from './command-line.ts';

const now = Math.floor(Date.now() / 1000);
const claims = { iss: 'https://idp.example.com', sub: 'repo:acme/api', aud: 'broker', iat: now, exp: now + 300 };
const rule = { issuer: claims.iss, audience: 'broker', subject: 'repo:acme/*', connections: ['helpdesk'] };
const folder = await makeFolder();
const file = join(folder.path, 'connections.json');
const connections = { helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.example.com' } };
const trust = [{ ...rule, claims: { ref: 'refs/tags/*' } }, rule];
await writeFile(file, JSON.stringify({ connections, trust }));
afterAll(() => folder.remove());

const check = (change: Readonly<Record<string, unknown>>, ...more: string[]) =>
  tokenBroker(['trust', 'check', file, '-', ...more], {
    stdin: `${new UnsecuredJWT({ ...claims, ...change }).encode()}\n`,
  });

it('names the rule that lets a JWT in, and the claim that kept it out of another', async () => {
  expect(await check({ ref: 'refs/heads/main' })).toEqual({
    code: 0,
    stdout:
      'iss "https://idp.example.com", sub "repo:acme/api"\ntrust[0]: no: the claim "ref" does not fit "refs/tags/*"\ntrust[1]: lets it have helpdesk as system\n',
    stderr: '',
  });
});

it.each([
  [{ sub: 'repo:other/api' }, 'trust[1]: no: sub does not fit "repo:acme/*"'],
  [{ aud: 'other' }, 'trust[1]: no: aud does not hold "broker"'],
  [{ iss: 'https://other.example.com' }, 'trust[1]: no: iss is not "https://idp.example.com"'],
  [{ iat: now - 7_200 }, 'trust[1]: no: it is 720'],
  [{ exp: now - 10 }, 'It expired 1'],
])('says what keeps out one with %j', async (change, said) => {
  const { code, stdout } = await check(change);
  expect([code, stdout]).toEqual([8, expect.stringContaining(said)]);
});

it('answers as JSON, and takes the JWT as an operand', async () => {
  const { code, stdout } = await tokenBroker([
    ...['trust', 'check', file, new UnsecuredJWT({ ...claims, sub: 'x' }).encode(), '--json'],
  ]);
  expect(code).toBe(8);
  expect(JSON.parse(stdout)).toMatchObject({ let_in: false, subject: 'x', rules: [{ rule: 'trust[0]' }, {}] });
});

it('says so of what is no JWT, and of a file that is none', async () => {
  expect(await tokenBroker(['trust', 'check', file, 'x'])).toMatchObject({ code: 8, stdout: 'It is no JWT.\n' });
  const { code, stderr } = await tokenBroker(['trust', 'check', join(folder.path, 'none.json'), 'x']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no such file')]);
});
