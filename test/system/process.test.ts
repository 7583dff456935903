import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { flagsOf } from '../../local/flags.ts';
import { StartError } from '../../local/start-error.ts';
import { runBroker, startBroker } from './broker-process.ts';
import { makeFolder } from './own-broker.ts';
import { startRefused } from './refused-start.ts';

const CREDENTIAL = 'not-to-be-printed-7c1e';
const CONNECTION = { provider: 'helpmaster', baseUrl: 'https://helpmaster.example.com/api' };

const folder = await makeFolder();
afterAll(() => folder.remove());

/** Writes a file and gives its path. */
async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const goodSecrets = await file('good-secrets.json', { helpdesk: { apiKey: CREDENTIAL } });
const goodConnections = await file('good-connections.json', { connections: { helpdesk: CONNECTION } });

function isOpen(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((open) => {
    socket.destroy();
    return open === true;
  });
}

describe('invalid flags', () => {
  it.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535'],
    [['--port', '-1'], '--port'],
    [['--port', '1e3'], '--port must be a whole number from 0 to 65535'],
    [['--refresh-every', '0'], '--refresh-every must be a number of seconds above 0'],
    [['--refresh-every', '0.0'], '--refresh-every must be a number of seconds above 0'],
    [['--refresh-every', 'often'], '--refresh-every must be a number of seconds above 0'],
    [['--bogus'], "'--bogus'"],
    [['--demo=yes'], '--demo'],
    [['--data'], '--data'],
    [['--data='], '--data needs a path behind it'],
    [['--secrets='], '--secrets needs a path behind it'],
    [['stray'], "'stray'"],
    [['--connections', 'some.json'], '--connections needs --secrets FILE'],
    [['--secrets', 'some.json'], '--secrets needs --connections FILE'],
  ])('%j: a message that names the flag', (flags, message) => {
    expect(() => flagsOf(flags)).toThrow(StartError);
    expect(() => flagsOf(flags)).toThrow(message);
  });

  it.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535, such as --port 8787.\n'],
    [['--bogus'], "Unknown option '--bogus'. --help lists the flags.\n"],
  ])('%j ends the process with that message and 2', async (flags, stderr) => {
    expect(await runBroker(flags)).toEqual({ code: 2, signal: null, stdout: '', stderr });
  });

  it('prints every flag for --help and ends with 0', async () => {
    const { code, stdout, stderr } = await runBroker(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const flags = ['--port', '--refresh-every', '--data', '--connections', '--secrets', '--demo', '--require-sigv4'];
    for (const flag of [...flags, '--verbose', '--help']) expect(stdout).toContain(flag);
  });
});

describe('unusable files', () => {
  const flagsWith = (connections: string, secrets: string) =>
    ['--port', '0', '--connections', connections, '--secrets', secrets] as const;

  /** Starts in this process with these two files; gives what was said. */
  async function said(connections: string, secrets: string): Promise<string> {
    const message = await startRefused(flagsWith(connections, secrets));
    expect(message).not.toContain(CREDENTIAL);
    return message;
  }

  /** Starts as a process of its own; gives what it said. */
  async function saidByProcess(connections: string, secrets: string): Promise<string> {
    const ended = await runBroker(flagsWith(connections, secrets));
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).not.toContain('    at ');
    expect(ended.stderr).not.toContain(CREDENTIAL);
    return ended.stderr;
  }

  it('a connections file that is not there', async () => {
    const path = join(folder.path, 'absent.json');
    expect(await said(path, goodSecrets)).toMatch(/absent\.json[\s\S]*no such file: check the path/);
  });

  it('a connections file that is not JSON: line and column', async () => {
    const path = await file('broken.json', '{"connections": {\n  "helpdesk": {,}\n}}');
    expect(await said(path, goodSecrets)).toMatch(/broken\.json[\s\S]*line 2, column 16/);
  });

  it('a connections file in TypeScript that throws', async () => {
    const path = await file('throws.ts', "throw new Error('half done');\n");
    expect(await saidByProcess(path, goodSecrets)).toMatch(/throws\.ts[\s\S]*cannot be loaded: half done/);
  });

  it('a connections file with several faults: every one at once, each with its path', async () => {
    const path = await file('faulty.json', {
      connections: {
        helpdesk: { ...CONNECTION, baseUrl: 'http://helpmaster.example.com', minTtl: 5 },
        wfm: { provider: 'community-web-ap', baseUrl: 'https://wfm.example.com' },
      },
    });
    const message = await said(path, goodSecrets);
    expect(message).toContain('faulty.json has 3 problems');
    expect(message).toMatch(/connections\.helpdesk\.baseUrl.*https/);
    expect(message).toMatch(/connections\.helpdesk\b.*minTtl/);
    expect(message).toMatch(/connections\.wfm\.provider.*`helpmaster`, `community-web-api`/);
  });

  it('a credential in the connections file is not repeated', async () => {
    const path = await file('leaky.json', { connections: { helpdesk: { ...CONNECTION, apiKey: CREDENTIAL } } });
    expect(await said(path, goodSecrets)).toContain('connections.helpdesk');
  });

  it('a secrets file that is not there', async () => {
    const path = join(folder.path, 'no-secrets.json');
    expect(await said(goodConnections, path)).toMatch(/no-secrets\.json: the file does not exist; write it/);
  });

  it('a secrets file that is not JSON: line and column, and nothing of it', async () => {
    const path = await file('broken-secrets.json', `{"helpdesk": {"apiKey": "${CREDENTIAL}" "x"}}`);
    const message = await said(goodConnections, path);
    expect(message).toMatch(/broken-secrets\.json: line 1, column \d+/);
    expect(await saidByProcess(goodConnections, path)).toBe(message);
  });

  it.each([
    ['no entry', {}, '$.helpdesk is missing; add "helpdesk": {"apiKey": "…"}'],
    ['a missing field', { helpdesk: {} }, '$.helpdesk.apiKey is missing; add it, a string'],
    ['an unknown field', { helpdesk: { apiKey: CREDENTIAL, key: 'x' } }, '$.helpdesk.key is no field of this secret'],
    ['a bare value', { helpdesk: CREDENTIAL }, '$.helpdesk is not an object; write {"apiKey": "…"}'],
    ['another connection', { helpdesk: { apiKey: CREDENTIAL }, wfm: {} }, '$.wfm is no configured connection'],
  ])('a secrets file with %s', async (what, content, message) => {
    const path = await file(`secrets-with-${what.replaceAll(' ', '-')}.json`, content);
    expect(await said(goodConnections, path)).toContain(`${path}: ${message}`);
  });
});

describe('ports and signals', () => {
  it('names a port that is taken, and what to do; exit 2', async () => {
    const holder = createServer();
    const { port } = new URL(await listenOnLoopback(holder, 0));
    const ended = await runBroker(['--port', port]);
    holder.close();
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toBe(`Port ${port} is taken. Choose another with --port N; 0 picks a free one.\n`);
  });

  it('names a data folder that another broker has open; exit 2', async () => {
    const data = join(folder.path, 'shared-data');
    const broker = await startBroker(['--data', data]);
    try {
      const ended = await runBroker(['--port', '0', '--data', data]);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toMatch(/shared-data.*in use: stop the other process, or choose another data folder/);
    } finally {
      await broker.stop();
    }
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends it cleanly, frees every port and leaves no file', async (signal) => {
    const temporary = await mkdtemp(join(folder.path, 'temporary-'));
    const broker = await startBroker([], { TMPDIR: temporary });
    const urls = [broker.url, broker.demo.helpmaster, broker.demo.community];
    expect(await Promise.all(urls.map(isOpen))).toEqual([true, true, true]);
    expect(await readdir(temporary)).not.toEqual([]);

    expect(await broker.stop(signal)).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(await Promise.all(urls.map(isOpen))).toEqual([false, false, false]);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('answers the requests in flight before it ends', async () => {
    const broker = await startBroker();
    await fetch(`${broker.demo.community}/__demo/knobs`, { method: 'PUT', body: JSON.stringify({ delayMs: 300 }) });
    const handOut = fetch(`${broker.url}/tokens/wfm/system`);
    // The upstream has the request now. It stays in flight for another 300 ms.
    await expect.poll(() => loginsSeen(broker.demo.community)).toBe(1);
    const [response, ended] = await Promise.all([handOut, broker.stop()]);
    expect(response.status).toBe(200);
    expect(ended).toMatchObject({ code: 0, signal: null });
  });
});

async function loginsSeen(demo: string): Promise<number> {
  const ledger = (await (await fetch(`${demo}/__demo/ledger`)).json()) as { logins: unknown[] };
  return ledger.logins.length;
}
