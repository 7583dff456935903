import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeFolder, type Project, projectIn } from './project.ts';

const HAND_OUT = {
  ...{ access_token: 'a-token', token_type: 'Bearer', expires_in: 600, generation: 1, source: 'login' },
  ...{ connection: 'wfm', subject: 'system', headers: { authorization: 'Bearer a-token' }, attributes: {} },
  expires_at: new Date(Date.now() + 600_000).toISOString(),
  issued_at: new Date().toISOString(),
  refresh_at: new Date(Date.now() + 300_000).toISOString(),
};

/** Stands in for a broker, and for an upstream that takes one token alone: what is tried here is the package, and that it signs. */
const signatures: string[] = [];
/** The requests, those of the upstream with the token that they carry. */
const asked: string[] = [];
const broker = createServer((request, response) => {
  const { method, url: path, headers } = request;
  const { authorization = '' } = headers;
  if (path === '/upstream/report') {
    asked.push(`${method} ${path} ${authorization}`);
    response.writeHead(authorization.endsWith('another-token') ? 200 : 401).end('the report');
    return;
  }
  asked.push(`${method} ${path}`);
  signatures.push(authorization);
  const token = method === 'POST' ? 'another-token' : 'a-token';
  const handOut = { ...HAND_OUT, access_token: token, headers: { authorization: `Bearer ${token}` } };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(handOut));
});
let project: Project;
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(broker.address() as AddressInfo).port}`;
  project = await projectIn(await makeFolder());
  await project.run('npm', 'init', '-y');
  await project.install(inject('packed').client);
});
afterAll(() => void broker.close());

/** A call of the upstream through each library's adapter, as `docs/client.md` has it. */
const ADAPTED: Readonly<Record<string, string>> = {
  axios: `import axios from 'axios';
import { attachTokenBroker } from '@token-broker/client/adapters/axios';
const wfm = axios.create({ baseURL: upstream });
attachTokenBroker(wfm, client, 'wfm');
console.log((await wfm.get('/report')).data);`,
  got: `import got from 'got';
import { tokenBrokerForGot } from '@token-broker/client/adapters/got';
const wfm = got.extend(tokenBrokerForGot(client, 'wfm'));
console.log(await wfm.get(upstream + '/report').text());`,
  undici: `import { Agent, request } from 'undici';
import { tokenBrokerInterceptor } from '@token-broker/client/adapters/undici';
const dispatcher = new Agent().compose(tokenBrokerInterceptor(client, 'wfm'));
console.log(await (await request(upstream + '/report', { dispatcher })).body.text());
await dispatcher.close();`,
  fetch: `console.log(await (await client.fetch('wfm', '/report')).text());`,
};

describe('the client, installed in an empty project', () => {
  it('gets a token from an ES module and from CommonJS, and signs', async () => {
    const body = (load: string) =>
      `${load}\ncreateTokenBrokerClient({ url: '${url}' }).token('wfm').then(({ headers }) => console.log(JSON.stringify(headers)));`;
    await project.write({
      'call.mjs': body("import { createTokenBrokerClient } from '@token-broker/client';"),
      'call.cjs': body("const { createTokenBrokerClient } = require('@token-broker/client');"),
    });
    for (const file of ['call.mjs', 'call.cjs']) {
      expect(await project.run('node', file)).toBe('{"authorization":"Bearer a-token"}\n');
    }
    expect(signatures).toHaveLength(2);
    for (const signature of signatures) expect(signature).toMatch(/^AWS4-HMAC-SHA256 Credential=local\//);
  });

  it('brings few packages, no library of an adapter, and nothing of the command line', async () => {
    const { dependencies = {} }: { readonly dependencies?: object } = JSON.parse(
      await project.run('npm', 'ls', '--all', '--json'),
    );
    const names = [...JSON.stringify(dependencies).matchAll(/"((?:@[\w-]+\/)?[\w.-]+)":\{"version"/g)].map(
      ([, name]) => name,
    );
    expect(names).toContain('@smithy/signature-v4');
    expect(names.filter((name) => /^(?:axios|got|undici|aws-cdk|dynalite|jose)/.test(name ?? ''))).toEqual([]);
    expect(new Set(names).size).toBeLessThan(50);
    const manifest = JSON.parse(
      await project.run('node', '-p', "JSON.stringify(require('@token-broker/client/package.json'))"),
    );
    expect(manifest).not.toHaveProperty('bin');
    expect(manifest).toMatchObject({ license: 'Apache-2.0', repository: { type: 'git' } });
    for (const range of Object.values(manifest.dependencies)) expect(range).toMatch(/^\^/);
    const files = await project.run('ls', '-R', 'node_modules/@token-broker/client');
    expect(files).toMatch(/README\.md[\s\S]*LICENSE|LICENSE[\s\S]*README\.md/);
    expect(files).not.toMatch(/\bcli\b|dashboard|agent/);
  });

  describe('beside the oldest libraries that its adapters are for', () => {
    beforeAll(() => project.install('axios@1.7', 'got@14.5.0', 'undici@7.0'));

    it.each(Object.keys(ADAPTED))('calls the upstream by %s, and once more after a 401', async (library) => {
      await project.write({
        'adapted.mjs': `import { createTokenBrokerClient } from '@token-broker/client';
const upstream = '${url}/upstream';
const client = createTokenBrokerClient({ url: '${url}', upstreams: { wfm: upstream } });
${ADAPTED[library]}`,
      });
      asked.length = 0;
      expect(await project.run('node', 'adapted.mjs')).toBe('the report\n');
      expect(asked).toEqual([
        ...['GET /tokens/wfm/system', 'GET /upstream/report Bearer a-token'],
        ...['POST /tokens/wfm/system', 'GET /upstream/report Bearer another-token'],
      ]);
    });
  });
});
