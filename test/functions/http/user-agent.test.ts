import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { bundleOptions } from '../../../cdk/bundle.ts';
import { systemClock } from '../../../functions/adapters/system.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import { createIssuerKeys } from '../../../functions/exchange/issuer-keys.ts';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import { USER_AGENT } from '../../../functions/http/user-agent.ts';
import { createForwarder } from '../../../functions/providers/engine/forward.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { connectionOf, realUpstream, secretOf } from '../providers/provider-harness.ts';

const OURS = `token-broker/${manifest.version}`;

async function startUpstream() {
  const agents: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    agents.push(request.headers['user-agent']);
    response.end('{"token":"t","keys":[]}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { agents, url: `http://127.0.0.1:${port}` };
}

it('is the version of package.json', () => {
  expect(USER_AGENT).toBe(OURS);
});

it('comes with a login', async () => {
  const { agents, url } = await startUpstream();
  const secret = secretOf({ username: 'u', password: 'p' });
  const connection = connectionOf('login-json', url);
  await realUpstream().upstream.login({ connection, subject: 'system', secret, timeoutMs: 2_000 });
  expect(agents).toEqual([OURS]);
});

it('comes with a fetch of an issuer’s keys', async () => {
  const { agents, url } = await startUpstream();
  const keys = createIssuerKeys({
    http: createUpstreamHttp(),
    clock: systemClock,
    telemetry: { metrics() {}, warn() {}, info() {} },
  });
  const source = { issuer: url, jwksUri: `${url}/keys` };
  const find = async () => keys(source).find({ alg: 'RS256', kid: 'k' }, { payload: '', signature: '' });
  await expect(find()).rejects.toThrow();
  expect(agents).toEqual([OURS]);
});

it('comes with a forwarded call, unless the caller has its own', async () => {
  const { agents, url } = await startUpstream();
  const connection = connectionOf('login-json', url);
  const { forward } = createForwarder({ http: createUpstreamHttp(), clock: systemClock });
  const token = new Secret('t');
  const call = { connection, subject: 'system', token, values: {}, closed: undefined, timeoutMs: 2_000 };
  for (const headers of [{}, { 'user-agent': 'caller/1' }]) {
    await forward({ ...call, request: { method: 'GET', path: '/', query: '', headers } });
  }
  expect(agents).toEqual([OURS, 'caller/1']);
});

it('is in a bundle as a text, so that a function reads no package.json', async () => {
  const { outExtension: _, mainFields, ...options } = bundleOptions('mint', 'unused');
  const { outputFiles } = await build({ ...options, mainFields: [...mainFields], write: false });
  const code = outputFiles.map(({ text }) => text).join('\n');
  expect(code).toContain(manifest.version);
  expect(code).not.toContain('../../package.json');
});
