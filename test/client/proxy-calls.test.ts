import { afterAll, describe, expect, it } from 'vitest';
import { createTokenBrokerClient, TokenBrokerError } from '../../client/index.ts';
import { problem, startStub } from './broker-stub.ts';
import { startLocalBroker } from './local-broker.ts';

const [broker, stub] = await Promise.all([startLocalBroker(), startStub()]);
afterAll(() => Promise.all([broker.close(), stub.close()]));

describe('client.proxy', () => {
  it('reaches the upstream with no token in sight', async () => {
    const client = createTokenBrokerClient({ url: broker.url });
    const response = await client.proxy('wfm', '/AgentLogonReport?name=Müller&a=1+2', {
      headers: { accept: 'application/json' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.has('wfmsgapikey')).toBe(false);
    expect(await response.json()).toMatchObject({ query: 'a=1%202&name=M%C3%BCller' });
  });

  it.each([
    ['text', () => 'grüße', 7],
    ['bytes', () => new Uint8Array([0, 255, 10]), 3],
    ['a form', () => new URLSearchParams({ a: 'b c' }), 5],
    ['a stream', () => new Blob(['streamed']).stream(), 8],
  ])('sends %s as it is, signed', async (_name, body, length) => {
    const client = createTokenBrokerClient({ url: broker.url });
    const answer = await client.proxy('wfm', '/AgentLogonReport', { method: 'POST', body: body() });
    expect(await answer.json()).toMatchObject({ method: 'POST', body: { length } });
  });

  it('throws the broker’s own errors and gives the upstream’s', async () => {
    const client = createTokenBrokerClient({ url: broker.url });
    await expect(client.proxy('wfm', '/x', { method: 'DELETE' })).rejects.toMatchObject({ code: 'proxy_not_allowed' });
    await broker.turn('community', { callStatus: 500 });
    expect((await client.proxy('wfm', '/AgentLogonReport')).status).toBe(500);
    await broker.turn('community', { callStatus: null });
  });

  it('tries a GET again and never a POST', async () => {
    const client = createTokenBrokerClient({ url: stub.url, random: () => 0 });
    const marked = problem(503, 'refresh_in_progress', {
      'retry-after': '0',
      'token-broker-error': 'refresh_in_progress',
    });
    stub.answer(marked);
    for (const [method, attempts] of [
      ['GET', 3],
      ['POST', 1],
    ] as const) {
      const before = stub.requests.length;
      await expect(client.proxy('wfm', '/x', { method })).rejects.toBeInstanceOf(TokenBrokerError);
      expect(stub.requests.length - before).toBe(attempts);
    }
  });

  it('refuses a path out of its slot or that a URL would change, and an Authorization of the caller’s own', async () => {
    const client = createTokenBrokerClient({ url: stub.url });
    const before = stub.requests.length;
    const otherPaths = ['/a\\b', '/a/../b', '/a/%2e/b', '/a\tb', '/x?q=a\nb', '/x '];
    for (const path of ['/../../helpdesk/system/x', '/%2e%2e/88/x', 'x', '', ...otherPaths]) {
      await expect(client.proxy('wfm', path)).rejects.toMatchObject({ kind: 'usage' });
    }
    await expect(client.proxy('wfm', '/x', { headers: { authorization: 'Bearer x' } })).rejects.toMatchObject({
      kind: 'usage',
    });
    expect(stub.requests.length).toBe(before);
  });

  it.each([
    [403, 'forbidden', 1],
    [413, 'payload_too_large', 1],
    [431, 'invalid_request', 1],
    [429, 'rate_limited', 3],
    [503, 'unavailable', 3],
    [504, 'timeout', 3],
  ])(
    'throws the API’s own %i as any error of the broker’s, and tries a GET again where that helps',
    async (...cases) => {
      const [status, code, attempts] = cases;
      const client = createTokenBrokerClient({ url: stub.url, random: () => 0 });
      stub.answer(problem(status, code, { 'token-broker-error': code, ...(attempts > 1 && { 'retry-after': '0' }) }));
      const before = stub.requests.length;
      await expect(client.proxy('wfm', '/x')).rejects.toMatchObject({ kind: 'problem', code, status });
      expect(stub.requests.length - before).toBe(attempts);
    },
  );

  it.each([
    [403, { message: 'Forbidden' }, 'gateway'],
    [503, { message: 'no' }, 'gateway'],
    [200, { a: 1 }, 'invalid_answer'],
    [500, 'a page', 'invalid_answer'],
  ])('throws an answer without the mark of an upstream’s: %i', async (status, body, kind) => {
    const client = createTokenBrokerClient({ url: stub.url, attempts: 1 });
    stub.answer({ status, headers: { 'x-amzn-requestid': 'gateway-1' }, body });
    await expect(client.proxy('wfm', '/x')).rejects.toMatchObject({ kind, status, requestId: 'gateway-1' });
  });

  it.each([
    [403, { message: 'Forbidden' }],
    [503, { message: 'no' }],
    [429, { code: 'rate_limited', detail: 'the upstream’s own' }],
  ])('gives an answer that is marked as the upstream’s as it is, once: %i', async (status, body) => {
    const client = createTokenBrokerClient({ url: stub.url, random: () => 0 });
    stub.answer({ status, headers: { 'token-broker-upstream': 'wfm' }, body });
    const before = stub.requests.length;
    const response = await client.proxy('wfm', '/x');
    expect([response.status, await response.json()]).toEqual([status, body]);
    expect(stub.requests.length - before).toBe(1);
  });

  it.each(['/x?q=%E4', '/x?%zz', '/x?q=%EF%BF%BD', '/a%E4'])(
    'refuses %s: bytes that are no UTF-8 would be lost on the way',
    async (path) => {
      const client = createTokenBrokerClient({ url: stub.url });
      const before = stub.requests.length;
      await expect(client.proxy('wfm', path)).rejects.toMatchObject({ kind: 'usage' });
      expect(stub.requests.length).toBe(before);
    },
  );

  it.each([
    ['a method that fetch refuses', { method: 'TRACE' }],
    ['a header that cannot be', { headers: { 'x-canary': 'canary\nsecret' } }],
    ['a body with GET', { body: 'x' }],
  ])('refuses %s as a mistake in the call, quoting nothing', async (_name, init) => {
    const client = createTokenBrokerClient({ url: stub.url });
    const before = stub.requests.length;
    const call = client.proxy('wfm', '/x', init);
    await expect(call).rejects.toMatchObject({ kind: 'usage', message: expect.not.stringContaining('canary') });
    expect(stub.requests.length).toBe(before);
  });

  it('reads no error of more than a megabyte, and tells one that breaks off as network', async () => {
    const client = createTokenBrokerClient({ url: stub.url, attempts: 1 });
    const headers = { 'token-broker-error': 'internal' };
    stub.answer({ status: 500, headers, body: 'x'.repeat(1024 * 1024 + 1) });
    await expect(client.proxy('wfm', '/x')).rejects.toMatchObject({ kind: 'invalid_answer' });
    stub.answer((_request, response) => {
      response.writeHead(500, { ...headers, 'content-length': '100' });
      response.write('{', () => response.destroy());
    });
    await expect(client.proxy('wfm', '/x')).rejects.toMatchObject({ kind: 'network' });
  });

  it('does not wait longer than its limit for the body of an error', async () => {
    const client = createTokenBrokerClient({ url: stub.url, attempts: 1, timeoutMs: 200 });
    stub.answer((_request, response) => {
      response.writeHead(500, { 'token-broker-error': 'internal' });
      response.write('{');
    });
    await expect(client.proxy('wfm', '/x')).rejects.toMatchObject({ kind: 'timeout' });
  });
});
