import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeTokenFolder, writeTokenFile } from '../../client/agent/token-file.ts';
import { AGENT_TOKEN, type Asked, startAgentUnderTest } from '../client/agent/agent-under-test.ts';
import { handOutBody, startStub } from '../client/broker-stub.ts';
import { makeFolder } from '../system/own-broker.ts';

// A web page that a developer opens, a server that can be made to fetch a URL, a program of another user of the machine,
// and a program of the same user that wants what the agent was not started for. None of them may have a token, or have
// anything asked of the broker.
const stub = await startStub();
const folder = await makeFolder();
await chmod(folder.path, 0o755);
const agent = await startAgentUnderTest(stub.url, { served: [{ connection: 'wfm', subject: 'system' }] });
const onSocket = await startAgentUnderTest(stub.url, { place: { socket: join(folder.path, 'agent.sock') } });
afterAll(async () => {
  await Promise.all([agent.close(), onSocket.close()]);
  await Promise.all([stub.close(), folder.remove()]);
});
stub.answer({ body: handOutBody('the-token', Date.now()) });
const host = new URL(agent.address).host;

async function expectRefused(asked: { path?: string } & Asked, on = agent, statuses = [403]) {
  const before = stub.requests.length;
  const { path = '/tokens/wfm/system', ...rest } = asked;
  const { status, text } = await on.ask(path, rest);
  expect(statuses).toContain(status);
  expect(text).not.toContain('the-token');
  expect(text).not.toContain(AGENT_TOKEN);
  expect(stub.requests.length).toBe(before);
}

it('the agent answers who asks as it should, so that these tests show something', async () => {
  expect((await agent.ask('/tokens/wfm/system')).json['access_token']).toBe('the-token');
  expect((await onSocket.ask('/tokens/wfm/system')).json['access_token']).toBe('the-token');
});

describe('a web page', () => {
  const paths = ['/tokens/wfm/system', '/proxy/wfm/system/x', '/health'];

  it.each(paths)('with a name of its own for this machine gets nothing of %s (DNS rebinding)', async (path) => {
    for (const name of ['evil.example', `evil.example:${new URL(agent.address).port}`, '127.0.0.1', '0.0.0.0']) {
      await expectRefused({ path, headers: { host: name } });
    }
  });

  it.each(paths)('of any origin gets nothing of %s, on the port and on the socket', async (path) => {
    for (const origin of ['https://evil.example', 'null', `http://${host}`, 'http://localhost']) {
      await expectRefused({ path, headers: { origin } });
      await expectRefused({ path, headers: { origin } }, onSocket);
    }
  });

  it.each(paths)('that has the browser ask for %s as an image, a frame or a script gets nothing', async (path) => {
    for (const site of ['cross-site', 'same-site', 'odd', 'none, cross-site']) {
      await expectRefused({ path, headers: { 'sec-fetch-site': site } });
      await expectRefused({ path, headers: { 'sec-fetch-site': site } }, onSocket);
    }
  });

  it('is let read nothing by a preflight', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
    const { status, headers: answered } = await agent.ask('/tokens/wfm/system', { method: 'OPTIONS', headers });
    expect(status).toBe(403);
    expect(Object.keys(answered).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

describe('a program without the agent’s token', () => {
  const name = 'x-token-broker-agent-token';

  it.each([
    ['none', { [name]: undefined }],
    ['an empty one', { [name]: '' }],
    ['another', { [name]: 'another' }],
    ['a part of it', { [name]: AGENT_TOKEN.slice(0, -1) }],
    ['it twice', { [name]: `${AGENT_TOKEN}, ${AGENT_TOKEN}` }],
    ['it in the header of AWS’s own agent', { [name]: undefined, 'x-aws-parameters-secrets-token': AGENT_TOKEN }],
    ['it as a bearer token', { [name]: undefined, authorization: `Bearer ${AGENT_TOKEN}` }],
  ])('gets nothing with %s', async (_name, headers) => {
    for (const on of [agent, onSocket]) {
      await expectRefused({ headers }, on);
      await expectRefused({ path: '/proxy/wfm/system/x', method: 'POST', headers, body: '{}' }, on);
    }
  });

  it('gets nothing with it in the URL', async () => {
    await expectRefused({ path: `/tokens/wfm/system?${name}=${AGENT_TOKEN}`, headers: { [name]: undefined } });
  });
});

describe('a program that has the agent’s token', () => {
  it.each([
    '/tokens/helpdesk/system',
    '/tokens/wfm/88',
    '/tokens/wfm/System',
    '/tokens/wfm/*',
    '/tokens/wfm%00/system',
    '/tokens/wfm/system%2f..%2f88',
    '/proxy/helpdesk/system/x',
    '/proxy/wfm/88/x',
  ])('gets nothing for what was not named: %s', async (path) => {
    await expectRefused({ path });
  });

  it.each([
    '/tokens/wfm/../helpdesk/system',
    '/tokens/wfm/system/../88',
    '/tokens//wfm/system',
    '/tokens/wfm/system/',
    '//tokens/wfm/system',
    '/tokens\\wfm\\system',
    '/proxy/wfm/system/../../../tokens/helpdesk/system',
    '/proxy/wfm/system/../../helpdesk/system/x',
    '/proxy/wfm/system/%2e%2e/%2e%2e/helpdesk/system/x',
    '/proxy/wfm/system/..\\..\\helpdesk\\system\\x',
    '/proxy/wfm/system/x/../../../../connections',
    'http://evil.example/tokens/wfm/system',
    '*',
  ])('gets nowhere else by the path %s', async (path) => {
    await expectRefused({ path }, agent, [400, 403, 404]);
  });

  it.each([
    ['GET', '/connections'],
    ['GET', '/connections/wfm'],
    ['POST', '/connections/wfm/try'],
    ['DELETE', '/tokens/wfm/system'],
    ['POST', '/oauth2/token'],
    ['GET', '/openapi.json'],
    ['GET', '/local/state'],
    ['GET', '/'],
  ])('has none of the routes for operators, or of others: %s %s', async (method, path) => {
    await expectRefused({ path, method }, agent, [404, 405]);
  });

  it('cannot place a token of its own, nor sign as somebody else', async () => {
    await expectRefused({ path: '/proxy/wfm/system/x', headers: { authorization: 'Bearer mine' } }, agent, [400]);
    const headers = { 'x-amz-security-token': 'mine', 'x-amz-date': '20200101T000000Z', 'x-amz-target': 'x' };
    await agent.ask('/proxy/wfm/system/x', { headers });
    expect(JSON.stringify(stub.requests.at(-1)?.headers)).not.toMatch(/mine|20200101|"x"/);
  });

  it('does not have the agent’s token sent on', async () => {
    await agent.ask('/proxy/wfm/system/x', { method: 'POST', body: '{}' });
    expect(JSON.stringify(stub.requests)).not.toContain(AGENT_TOKEN);
  });
});

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** Runs a script as another user of the machine; gives what it printed. */
function asNobody(script: string): Promise<string> {
  const nobody = { uid: 65_534, gid: 65_534, cwd: '/' };
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', script], nobody, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe.runIf(isRoot)('another user of the machine', () => {
  it('cannot open the socket', async () => {
    const { mode } = await lstat(onSocket.address);
    expect(mode & 0o777).toBe(0o600);
    const url = 'http://localhost/health';
    expect(await asNobody(`curl -sS --unix-socket ${onSocket.address} ${url}`)).toMatch(/denied|Couldn't connect/i);
    expect(await asNobody(`echo can see; ls ${onSocket.address}`)).toContain('agent.sock');
  });

  it('cannot read the token file, however others may look into its folder', async () => {
    const { path } = await writeTokenFile(join(folder.path, 'token'), AGENT_TOKEN);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    const printed = await asNobody(`cat ${path}`);
    expect(printed).toMatch(/denied/i);
    expect(printed).not.toContain(AGENT_TOKEN);
  });
});

describe('a token file', () => {
  it('takes the place of a link, and what the link leads to is left', async () => {
    const [target, path] = [join(folder.path, 'target'), join(folder.path, 'link')];
    await writeFile(target, 'theirs', { mode: 0o644 });
    await symlink(target, path);
    const file = await writeTokenFile(path, AGENT_TOKEN);

    expect(await readFile(target, 'utf8')).toBe('theirs');
    expect(await readFile(path, 'utf8')).toBe(AGENT_TOKEN);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    await file.remove();
    await expect(lstat(path)).rejects.toThrow('ENOENT');
  });

  it('is not put into a folder that others can look into', async () => {
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder.path;
    try {
      const own = await makeTokenFolder({});
      expect((await lstat(own)).mode & 0o777).toBe(0o700);
      // XDG_RUNTIME_DIR of whoever this user was before `su`, or a link.
      const others = join(folder.path, 'others');
      await mkdir(others, { mode: 0o755 });
      await symlink(own, join(folder.path, 'runtime'));
      for (const runtime of [others, join(folder.path, 'runtime'), join(folder.path, 'missing')]) {
        expect(await makeTokenFolder({ XDG_RUNTIME_DIR: runtime })).toBe(own);
      }
      await chmod(own, 0o755);
      await expect(makeTokenFolder({})).rejects.toThrow("is not this user's alone");
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });
});

describe('a socket', () => {
  it('that a killed agent has left is replaced, one that answers and a file are not', async () => {
    const options = (socket: string) => startAgentUnderTest(stub.url, { place: { socket } });
    const left = join(folder.path, 'left.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise((resolve) => execFile(process.execPath, ['-e', script], resolve));
    const next = await options(left);
    expect((await next.ask('/health')).status).toBe(200);
    await next.close();

    await expect(options(onSocket.address)).rejects.toThrow('EADDRINUSE');
    await writeFile(join(folder.path, 'file'), 'theirs');
    await expect(options(join(folder.path, 'file'))).rejects.toThrow('EADDRINUSE');
    expect(await readFile(join(folder.path, 'file'), 'utf8')).toBe('theirs');
    expect((await onSocket.ask('/health')).status).toBe(200);
  });
});
