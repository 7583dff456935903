import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../bench/loopback/certificate.ts';
import { createBrokerCalls } from '../../../client/agent/broker-calls.ts';
import { systemClock as clock } from '../../../client/clock.ts';
import { endpointOf } from '../../../client/endpoint.ts';
import { createSigner } from '../../../client/signing.ts';
import { handOutBody, problem, startStub } from '../broker-stub.ts';

const stub = await startStub();
afterAll(() => stub.close());

const wfm = { connection: 'wfm', subject: 'system' };
const body = handOutBody('one', Date.now());

/** Asks for the token once, by the agent's calls. */
function handOut(url: string, limits: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}) {
  const endpoint = endpointOf({ url, environment: {} });
  const budget = { attempts: 1, timeoutMs: 5_000, ...limits };
  const sign = createSigner({ endpoint, clock });
  return createBrokerCalls({ endpoint, sign, budget, clock, random: Math.random }).api.handOut(wfm, budget);
}

describe("the agent's calls for tokens", () => {
  it('keep a connection open for the next, and say what they are as `fetch` does', async () => {
    const ports: (number | undefined)[] = [];
    stub.answer((request, response) => {
      ports.push(request.socket.remotePort);
      response.end(JSON.stringify(body));
    });
    expect((await handOut(stub.url)).token).toBe('one');
    expect((await handOut(stub.url)).token).toBe('one');
    expect(new Set(ports).size).toBe(1);
    expect(stub.requests.at(-1)?.headers).toMatchObject({
      'user-agent': 'node',
      authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 /),
    });
  });

  it.each([
    ['a problem', problem(403, 'forbidden', { 'retry-after': '7' }), { kind: 'problem', retryAfterMs: 7_000 }],
    ['a redirect', { status: 302, headers: { location: '/tokens' } }, { kind: 'invalid_answer', status: 302 }],
    ['megabytes', { body: ' '.repeat(2 * 1024 * 1024) }, { kind: 'invalid_answer', status: 200 }],
  ])('give up after %s', async (_name, answer, error) => {
    const before = stub.requests.length;
    stub.answer(answer);
    await expect(handOut(stub.url)).rejects.toMatchObject(error);
    expect(stub.requests.length - before).toBe(1);
  });

  it.each([
    ['says nothing', ''],
    ['drips', '{'],
  ])('time out where the broker %s', async (_name, begin) => {
    stub.answer((_request, response) => void (begin !== '' && response.write(begin)));
    await expect(handOut(stub.url, { timeoutMs: 150 })).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('end with the reason of who ends them', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    stub.answer((_request, response) => {
      response.write('{');
      controller.abort(reason);
    });
    await expect(handOut(stub.url, { signal: controller.signal })).rejects.toBe(reason);
  });

  it.each([
    ['breaks off before the answer', (response: ServerResponse) => void response.destroy()],
    ['breaks off within it', (response: ServerResponse) => void response.write('{', () => response.destroy())],
  ])('notice a connection that %s', async (_name, answer) => {
    stub.answer((_request, response) => answer(response));
    const error = { kind: 'network', detail: expect.stringContaining('the connection broke off (ECONNRESET)') };
    await expect(handOut(stub.url)).rejects.toMatchObject(error);
  });

  it('notice an answer that becomes no HTTP', async () => {
    stub.answer((_request, response) => void response.write('{', () => response.socket?.end('no chunk\r\n')));
    await expect(handOut(stub.url)).rejects.toMatchObject({ kind: 'network' });
  });

  it('reach no broker whose certificate is not trusted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-broker-certificate-'));
    const files = selfSigned(folder);
    const [key, cert] = await Promise.all([readFile(files.keyFile), readFile(files.certificateFile)]);
    let asked = 0;
    const server = createServer({ key, cert }, (_request, response) => {
      asked += 1;
      response.end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo; // A TCP server's address is never a path.
      const error = { kind: 'network', detail: expect.stringContaining('its certificate is not trusted') };
      await expect(handOut(`https://127.0.0.1:${port}`)).rejects.toMatchObject(error);
      expect(asked).toBe(0);
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
