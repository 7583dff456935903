import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { send } from '../local/demo/demo-client.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';

// The attacker has an account of its own at the upstream and may call the proxy. It wants everybody's calls to be made
// in its own name: then it sees what they write. The upstream sets its token header on the answers to logins too.
let placed: unknown;
let logins = 0;

const server = createServer(async (request, response) => {
  placed = request.headers['wfmsgapikey'];
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const user = /l=(\w+)/.exec(body)?.[1];
  // Each login gives another: the very token held would be kept to its end.
  const token = user === undefined ? 'slid-token-of-the-service' : `token-of-${user}-0123456789-${++logins}`;
  response.setHeader('content-type', 'application/json');
  response.setHeader('WFMSGAPIKEY', token);
  response.end(JSON.stringify(user === undefined ? { ok: true } : { authToken: token, agentId: 7 }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const upstream = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
const wfm = {
  provider: 'community-web-api',
  baseUrl: upstream.url,
  // Every answer is past refreshAt, so every slide is worth taking up.
  refreshAfter: 0.000001,
  memorySeconds: 0,
  proxy: { methods: ['GET', 'POST'], paths: ['/'] },
};
const alone = { ...wfm, tokensOverlap: false };
const secret = { username: 'service', password: 'correct' };
const system = await startSystemUnderTest({ connections: { wfm, alone }, secrets: { wfm: secret, alone: secret } });
// Log in, and let the refresh that the first hand-out past `refreshAt` asks for come to its end.
await send(`${system.url}/tokens/wfm/system`);
await sleep(20);
await send(`${system.url}/tokens/wfm/system`);
await system.controls.drain();
afterAll(async () => {
  await system.close();
  upstream.close();
});

const logIn = (path: string) =>
  send(`${system.url}/proxy/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'l=mallory%7Cknown',
  });

it.each(['AuthenticateEx', 'Authenticate', 'sso/v2'])(
  'takes no token from the answer to a login at /%s',
  async (path) => {
    const { json } = await send(`${system.url}/tokens/wfm/system`);
    expect(json?.['access_token']).not.toContain('mallory');
    await logIn(`wfm/system/${path}`);
    const { json: after } = await send(`${system.url}/tokens/wfm/system`);
    expect(after?.['access_token']).not.toContain('mallory');
  },
);

it('takes none where every answer renews the token and the old one is dead', async () => {
  await logIn('alone/system/Authenticate');
  const { text } = await send(`${system.url}/proxy/alone/system/jobs`);
  expect(text).toBe('{"ok":true}');
  expect(placed).not.toContain('mallory');
});

it('still takes the token of a gated answer', async () => {
  await send(`${system.url}/proxy/wfm/system/jobs`);
  const { json } = await send(`${system.url}/tokens/wfm/system`);
  expect(json?.['access_token']).toBe('slid-token-of-the-service');
});
