import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../local/demo/demo-upstream.ts';
import { type HelpmasterKnobs, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { makePrivate } from '../../local/own-broker.ts';
import { send } from '../local/demo/demo-client.ts';
import { PROJECT_FOLDER } from '../system/broker-process.ts';
import { makeFolder, writeBrokerFiles } from '../system/own-broker.ts';

// Another user of the machine, who can reach every port on loopback and read what the file system lets everybody read.
// The operator runs `npm start` with a real credential, and `--require-sigv4`: without it there is one check less.
const API_KEY = 'A-KEY-that-nobody-else-may-see-0001';
let helpmaster: DemoUpstream<HelpmasterKnobs>;
let broker: ReturnType<typeof spawn>;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let flags: readonly string[] = [];
let url = '';
let ports: readonly number[] = [];
let printed = () => '';

beforeAll(async () => {
  helpmaster = await startDemoHelpmaster({ knobs: { credential: { apiKey: API_KEY } } });
  folder = await makeFolder();
  const connections = { helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, proxy: {} } };
  const files = await writeBrokerFiles(folder.path, { connections, secrets: { helpdesk: { apiKey: API_KEY } } });
  await chmod(`${folder.path}/secrets.json`, 0o644);
  ({ flags } = files);
  ({ broker, url, printed } = await start(['--require-sigv4', ...flags]));
  // The slot has a token, as it does after the operator's own first call.
  const own = await signed('execute-api', 'local', url, 'GET', '/tokens/helpdesk/system');
  expect(own.status).toBe(200);
  ports = await portsOf(broker.pid ?? 0);
});
afterAll(async () => {
  broker.kill();
  await once(broker, 'close');
  await Promise.all([helpmaster.close(), folder.remove()]);
});

/** Starts `npm start` with these flags, on a free port. */
async function start(own: readonly string[]) {
  const started = spawn(process.execPath, ['local/start.ts', '--port', '0', ...own], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  await new Promise<void>((resolve, reject) => {
    started.stdout.on('data', () => /^listening on \S+$/m.test(text) && resolve());
    started.once('close', () => reject(new Error(text)));
  });
  return { broker: started, url: /^listening on (\S+)$/m.exec(text)?.[1] ?? '', printed: () => text };
}

/** The TCP ports on which a process listens. */
async function portsOf(pid: number): Promise<readonly number[]> {
  const open = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  const LISTENING = '0A';
  return rows.flatMap(([, local = '', , state, , , , , , inode = '']) =>
    state === LISTENING && inodes.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [],
  );
}

async function signed(service: string, secret: string, at: string, method: string, path: string, more: Asked = {}) {
  const { host } = new URL(at);
  const signer = new SignatureV4({
    ...{ service, region: 'us-east-1', sha256: Sha256 },
    credentials: { accessKeyId: 'local', secretAccessKey: secret },
  });
  const request = new HttpRequest({ method, path, headers: { host, ...more.headers }, body: more.body });
  const { headers } = await signer.sign(request);
  return send(at, { method, path, headers, ...(more.body !== undefined && { body: more.body }) });
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const json = (target: string, body: unknown): Asked => ({
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
  body: JSON.stringify(body),
});
const MINT = '/2015-03-31/functions/mint-helpdesk/invocations';

/** All that the services behind the functions could be asked for. */
const questions: readonly (readonly [service: string, method: string, path: string, asked: Asked])[] = [
  ['secretsmanager', 'POST', '/', json('secretsmanager.GetSecretValue', { SecretId: 'token-broker/helpdesk' })],
  ['kms', 'POST', '/', json('TrentService.GenerateDataKey', { KeyId: 'alias/token-broker', KeySpec: 'AES_256' })],
  ['kms', 'POST', '/', json('TrentService.Decrypt', { CiphertextBlob: Buffer.alloc(80, 1).toString('base64') })],
  ['lambda', 'POST', MINT, { body: JSON.stringify({ connection: 'helpdesk', subject: 'system', via: 'schedule' }) }],
  ['dynamodb', 'POST', '/', json('DynamoDB_20120810.ListTables', {})],
  ['dynamodb', 'POST', '/', json('DynamoDB_20120810.Scan', { TableName: 'token-broker' })],
  ['execute-api', 'GET', '/tokens/helpdesk/system', {}],
  ['execute-api', 'GET', '/proxy/helpdesk/system/jobs', {}],
  ['execute-api', 'DELETE', '/tokens/helpdesk/system', {}],
];

describe.runIf(process.platform === 'linux')('asked by another user of the machine', () => {
  it('more ports than the API listen', () => {
    expect(ports.length).toBeGreaterThanOrEqual(3);
    expect(ports).toContain(Number(new URL(url).port));
  });

  it.each(questions)('no port answers %s %s %s without the key', async (service, method, path, asked) => {
    helpmaster.clearLedger();
    for (const port of ports) {
      const at = `http://127.0.0.1:${port}`;
      const isApi = at === url;
      const answers = [
        await send(at, { method, path, ...asked }),
        await send(at, { method, path, ...asked, headers: { ...asked.headers, authorization: 'AWS4-HMAC-SHA256 x' } }),
        // The key of the API itself is public, and opens nothing else.
        ...(isApi ? [] : [await signed(service, 'local', at, method, path, asked)]),
      ];
      for (const { status, text } of answers) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(text).not.toMatch(/A-KEY|Plaintext|"access_token"|TableNames|"Items"|eyJ/);
      }
    }
    expect(helpmaster.ledger()).toMatchObject({ logins: [], calls: [] });
  });

  it('the operator is told of a secrets file that others can read', () => {
    expect(printed()).toMatch(/warning: other users of this machine can read or change \S+secrets\.json: chmod 600/);
  });

  it('no file that others can read has the credential or the key of this start', async () => {
    for (const name of await readdir(folder.path, { recursive: true })) {
      const text = await readFile(`${folder.path}/${name}`, 'utf8').catch(() => '');
      if (name !== 'secrets.json') expect(text).not.toContain(API_KEY);
    }
  });

  it('neither the command line nor the environment has the credential', async () => {
    for (const file of ['cmdline', 'environ']) {
      const text = await readFile(`/proc/${broker.pid}/${file}`, 'latin1');
      expect(text).not.toContain(API_KEY);
      expect(text).not.toContain('SECRET_ACCESS_KEY');
    }
  });

  // Only root can be somebody else; `same-user.test.ts` holds the check itself whoever runs it.
  it.runIf(process.getuid?.() === 0)(
    'no port gives another user anything, not even signed with the public key',
    async () => {
      helpmaster.clearLedger();
      const key = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', 'local:local'];
      for (const port of ports) {
        for (const path of [
          '/tokens/helpdesk/system',
          '/proxy/helpdesk/system/jobs',
          '/',
          '/local/state',
          '/connections',
        ]) {
          for (const more of [[], key, [...key, '--ipv4', '-X', 'DELETE']]) {
            const { status, text } = await curlAs(NOBODY, `http://127.0.0.1:${port}${path}`, more);
            expect(status).toBeGreaterThanOrEqual(400);
            expect(text).not.toMatch(/A-KEY|access_token|eyJ|helpdesk/);
          }
        }
      }
      expect(helpmaster.ledger()).toMatchObject({ logins: [], calls: [] });
      expect((await curlAs(0, `${url}/tokens/helpdesk/system`, key)).status).toBe(200);
    },
  );

  it.runIf(process.getuid?.() === 0)(
    'nothing is answered, and nothing stored can be read, where others can write to the data folder',
    async () => {
      const data = `${folder.path}/data`;
      await mkdir(`${data}/dynamodb`, { recursive: true });
      await chmod(data, 0o777);
      const own = await start([...flags, '--data', data]);
      const answers = [NOBODY, 0].map((uid) => curlAs(uid, `${own.url}/tokens/helpdesk/system`, []));
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([403, 200]);
      expect(own.printed()).toContain(`warning: other users of this machine can change ${data}`);
      expect((await lstat(`${data}/dynamodb`)).mode & 0o777).toBe(0o700);
      own.broker.kill();
      await once(own.broker, 'close');
    },
  );

  it.runIf(process.getuid?.() === 0)('the operator is told of a connections file of another user', async () => {
    const file = `${folder.path}/of-another.json`;
    const connections = { desk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl } };
    await writeFile(file, JSON.stringify({ connections }), { mode: 0o600 });
    await chown(file, NOBODY, NOBODY);
    const started = start(['--connections', file, '--secrets', `${file}.none`]);
    await expect(started).rejects.toThrow(`warning: other users of this machine can change ${file}`);
  });

  // Asked for `localhost`, programs and browsers try [::1] first, and a browser takes both addresses for one origin.
  it('nobody else can answer in the API’s place, at its port of the name localhost', async () => {
    const { port } = new URL(url);
    const server = createServer();
    server.listen(Number(port), '::1');
    await expect(once(server, 'listening')).rejects.toThrow(/EADDRINUSE|EADDRNOTAVAIL|EAFNOSUPPORT/);
  });
});

const NOBODY = 65_534;

async function curlAs(uid: number, at: string, more: readonly string[]) {
  const curl = spawn('curl', ['-s', '-w', '\\n%{http_code}', ...more, at], {
    uid,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  curl.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await once(curl, 'close');
  const [, text = '', status] = /^(.*)\n(\d{3})$/s.exec(printed) ?? [];
  return { status: Number(status), text };
}

describe('the folder of tries', () => {
  it('is refused where another made it, or a link to somewhere else', async () => {
    const away = await makeFolder();
    await chmod(away.path, 0o700);
    const [link, open, fresh] = ['link', 'open', 'fresh'].map((name) => `${folder.path}/${name}`) as [
      string,
      string,
      string,
    ];
    await symlink(away.path, link);
    await mkdir(open, { mode: 0o755 });
    await expect(makePrivate(link)).rejects.toThrow(/not this user's alone/);
    await expect(makePrivate(open)).rejects.toThrow(/not this user's alone/);
    await makePrivate(fresh);
    await makePrivate(fresh);
    expect((await lstat(fresh)).mode & 0o777).toBe(0o700);
    await away.remove();
  });

  it.runIf(process.getuid?.() === 0)('is refused where it is another user’s', async () => {
    const others = `${folder.path}/others`;
    await mkdir(others, { mode: 0o700 });
    await chown(others, NOBODY, NOBODY);
    await expect(makePrivate(others)).rejects.toThrow(/not this user's alone/);
  });
});
