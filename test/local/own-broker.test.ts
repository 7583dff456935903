import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { ownBroker } from '../../local/own-broker.ts';
import { tokenBroker } from '../client/command-line.ts';
import { createCanarySearch } from '../system/canary-forms.ts';
import { makeFolder } from '../system/own-broker.ts';

const SECRET = { user: 'svc-canary-71Kd02', password: 'p&ss w+rd canary/93' };
const TOKEN = 'token-canary-5Zz81kQw0pR44';
const search = createCanarySearch([...Object.values(SECRET), TOKEN].map((value) => ({ name: value, value })));

const acme = {
  secretFields: { user: {}, password: {} },
  logins: {
    system: [
      {
        url: '/login',
        basic: { user: '{user}', password: '{password}' },
        form: { password: '{password}' },
        reads: { token: { in: 'body', path: ['t'] } },
      },
    ],
  },
  placement: { headers: { authorization: 'Bearer {token}' } },
  lifetime: [{ seconds: 900 }],
};

let folder: Awaited<ReturnType<typeof makeFolder>>;
const before = process.env['TMPDIR'];

beforeEach(async () => {
  folder = await makeFolder();
  process.env['TMPDIR'] = folder.path;
});
afterEach(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  await folder.remove();
});

/** Tries a login against an upstream that answers so; gives the command's results and the requests it got. */
async function upstreamWith(answer: { readonly status: number; readonly body: unknown }, provider: object = acme) {
  const asked: string[] = [];
  const upstream = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  onTestFinished(() => void upstream.close());
  const baseUrl = await listenOnLoopback(upstream, 0);
  const [connections, secrets] = [join(folder.path, 'c.json'), join(folder.path, 's.json')];
  const declare = (changed: object) =>
    writeFile(
      connections,
      JSON.stringify({
        providers: { acme: changed },
        connections: { acme: { provider: 'acme', baseUrl } },
      }),
    );
  await declare(provider);
  await writeFile(secrets, JSON.stringify({ acme: SECRET }), { mode: 0o600 });
  const run = (...more: string[]) =>
    tokenBroker(['try', 'acme', '--connections', connections, '--secrets', secrets, ...more], { own: ownBroker });
  return { asked, declare, run };
}

const remembered = async () => (await readdir(folder.path)).filter((name) => name.startsWith('token-broker-try-'));

describe('try with files', () => {
  it('logs in once without any deployment, and leaves no token behind', async () => {
    const { asked, run } = await upstreamWith({ status: 200, body: { t: TOKEN, echo: SECRET.password } });
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('authorization: Basic base64({user}:{password})');
    expect(stdout).toContain('"echo": "{password}"');
    expect(stdout).toContain('published as generation 1');
    expect(search(stdout)).toEqual([]);
    expect(asked).toEqual(['/login']);
    expect(await remembered()).toEqual([]);
  });

  it('remembers a refusal for the next try, in a folder of this user alone', async () => {
    const { asked, run } = await upstreamWith({ status: 400, body: { error: 'invalid_client', said: SECRET.user } });
    const first = await run();
    expect(first).toMatchObject({ code: 5, stdout: expect.stringContaining('judged by oauth: credential') });
    expect(search(first.stdout + first.stderr)).toEqual([]);
    const [name = ''] = await remembered();
    expect(first.stderr).toContain(name);
    expect((await stat(join(folder.path, name))).mode & 0o077).toBe(0);

    expect(await run()).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('cooldown') });
    expect(asked).toHaveLength(1);
  });

  it('never tries again a credential that `system` was refused with, however the provider is changed', async () => {
    const { asked, run, declare } = await upstreamWith({ status: 400, body: { error: 'invalid_client' } });
    for (let round = 0; round < 6; round += 1) {
      await declare({ ...acme, lifetime: [{ seconds: 900 + round }] });
      await run();
    }
    expect(asked).toHaveLength(1);
  });

  it('puts the next value of a credential that rotates into the secrets file, and sends that one next', async () => {
    const seen: string[] = [];
    const server = createServer(async (request, response) => {
      const given = new URLSearchParams(await text(request)).get('refresh_token') ?? '';
      seen.push(given);
      const next = `refresh-canary-${seen.length}-77Kd02mQz`;
      response.end(JSON.stringify({ access_token: `${TOKEN}${seen.length}`, refresh_token: next, expires_in: 3600 }));
    });
    onTestFinished(() => void server.close());
    const tokenUrl = `${await listenOnLoopback(server, 0)}/token`;
    const [connections, secrets] = [join(folder.path, 'c.json'), join(folder.path, 's.json')];
    await writeFile(
      connections,
      JSON.stringify({ connections: { acme: { provider: 'oauth-refresh-token', baseUrl: tokenUrl } } }),
    );
    const first = { clientId: 'client', clientSecret: 'client-canary-91Qz', refreshToken: 'refresh-canary-0-55Tq81' };
    await writeFile(secrets, JSON.stringify({ acme: first }), { mode: 0o600 });
    const run = () =>
      tokenBroker(['try', 'acme', '--connections', connections, '--secrets', secrets], { own: ownBroker });

    const tried = await run();
    expect(tried).toMatchObject({ code: 0 });
    expect(tried.stdout).toContain('"refresh_token": "{refreshToken}"');
    const kept = JSON.parse(await readFile(secrets, 'utf8'));
    expect(kept).toEqual({ acme: { ...first, refreshToken: 'refresh-canary-1-77Kd02mQz' } });
    expect((await stat(secrets)).mode & 0o777).toBe(0o600);

    expect(await run()).toMatchObject({ code: 0 });
    expect(seen).toEqual([first.refreshToken, 'refresh-canary-1-77Kd02mQz']);
    const told = createCanarySearch([
      { name: 'secret', value: first.clientSecret },
      { name: 'first', value: first.refreshToken },
      { name: 'next', value: 'refresh-canary-1-77Kd02mQz' },
      { name: 'token', value: `${TOKEN}1` },
    ]);
    expect(told(tried.stdout + tried.stderr)).toEqual([]);
    expect((await readdir(folder.path)).sort()).toEqual(['c.json', 's.json']);
  });

  it('names every mistake in the files, and starts nothing', async () => {
    const { run, declare } = await upstreamWith({ status: 200, body: {} });
    await declare({ ...acme, placement: { headers: { authorization: 'Bearer {tokn}' } }, lifetime: [{ jwt: 'tokn' }] });
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('providers.acme.placement: names `{tokn}`');
    expect(stderr).toContain('providers.acme.lifetime[0]: names `tokn`');
  });

  it('refuses a folder that others may read', async () => {
    const { run } = await upstreamWith({ status: 400, body: { error: 'invalid_client' } });
    await run();
    const [name = ''] = await remembered();
    await chmod(join(folder.path, name), 0o755);
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining("not this user's alone") });
  });
});
