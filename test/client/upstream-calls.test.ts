import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTokenBrokerClient, type TokenBrokerClient, TokenBrokerError } from '../../client/index.ts';
import { handOutBody, problem, type Stub, startStub } from './broker-stub.ts';
import { type LocalBroker, startLocalBroker } from './local-broker.ts';

let broker: LocalBroker;
let stub: Stub;
let upstream: Stub;

beforeAll(async () => {
  [broker, stub, upstream] = await Promise.all([startLocalBroker(), startStub(), startStub()]);
});
afterAll(() => Promise.all([broker.close(), stub.close(), upstream.close()]));

describe('client.fetch against the broker and a demo upstream', () => {
  let client: TokenBrokerClient;

  beforeEach(async () => {
    await broker.turn('community', { callStatus: null, slide: 'normal', tokensOverlap: true });
    client = createTokenBrokerClient({
      url: broker.url,
      upstreams: { wfm: broker.community.baseUrl, helpdesk: broker.helpmaster.baseUrl },
    });
    await client.purge('wfm');
  });

  it('places a bearer token on the base URL of the upstream, for the subject', async () => {
    const response = await client.fetch('helpdesk', '/jobs/MyOpenJobs', { subject: '88' });
    expect(response.status).toBe(200);
    expect(JSON.stringify(await response.json())).toContain('88');
  });

  it('lives on slid tokens where the upstream ends the old one with each answer (C15, C18)', async () => {
    await broker.turn('community', { tokensOverlap: false });
    const counted = await broker.counting('community');
    for (let call = 0; call < 5; call += 1) {
      const response = await client.fetch('wfm', '/AgentLogonReport');
      expect(response.status).toBe(200);
      expect(response.headers.has('wfmsgapikey')).toBe(false);
    }
    expect(await counted()).toMatchObject({ logins: 1, calls: 5 });
  });

  it.each(['missing', 'empty', 'conflicting', 'same'])(
    'keeps the old token where the new one is %s (C16)',
    async (slide) => {
      await broker.turn('community', { slide });
      const before = (await client.use('wfm')).headers;
      expect((await client.fetch('wfm', '/AgentLogonReport')).status).toBe(200);
      expect((await client.use('wfm')).headers).toEqual(before);
    },
  );

  it('reports a dead token and calls again, also when it had slid since (C18, C19)', async () => {
    await client.fetch('wfm', '/AgentLogonReport');
    await broker.turn('community', { revokeIssued: true });
    const counted = await broker.counting('community');
    const response = await client.fetch('wfm', '/AgentLogonReport', { method: 'POST', body: '{"x":1}' });
    expect(response.status).toBe(200);
    expect(await counted()).toMatchObject({ logins: 1, calls: 3 });
  });

  it('logs in once for a herd whose token has died', async () => {
    await client.token('wfm');
    await broker.turn('community', { revokeIssued: true });
    const counted = await broker.counting('community');
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.fetch('wfm', '/AgentLogonReport')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await counted()).logins).toBe(1);
  });

  it('gives the 401 where the broker has no other token', async () => {
    await client.token('wfm');
    await broker.turn('community', { revokeIssued: true, loginStatus: 503 });
    expect((await client.fetch('wfm', '/AgentLogonReport')).status).toBe(401);
    await broker.turn('community', { loginStatus: null });
  });

  it('does not send a stream twice, and has the token renewed for the next call', async () => {
    await client.token('wfm');
    await broker.turn('community', { revokeIssued: true });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"x":1}'));
        controller.close();
      },
    });
    const init = { method: 'POST', body, duplex: 'half' as const };
    expect((await client.fetch('wfm', '/AgentLogonReport', init)).status).toBe(401);
    const counted = await broker.counting('community');
    expect((await client.fetch('wfm', '/AgentLogonReport')).status).toBe(200);
    expect(await counted()).toMatchObject({ logins: 0, calls: 1 });
  });
});

describe('client.fetch and where a token may go', () => {
  it('follows no redirect: a header of its own would go along', async () => {
    let leaked: unknown = 'nothing came';
    const elsewhere = createServer((request, response) => {
      leaked = request.headers['wfmsgapikey'];
      response.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const address = elsewhere.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    stub.answer({ body: handOutBody('token', Date.now()) });
    upstream.answer({ status: 302, headers: { location: `http://127.0.0.1:${port}/` } });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    expect((await client.fetch('wfm', '/x')).status).toBe(302);
    expect(leaked).toBe('nothing came');
    elsewhere.close();
  });

  it.each([
    ['another origin', 'https://elsewhere.example.com/x'],
    ['another scheme', 'ftp://127.0.0.1/x'],
    ['a user that hides the host', 'http://127.0.0.1:1@elsewhere.example.com/'],
    ['a path that climbs', '/../secret'],
    ['no path', 'x'],
  ])('refuses %s before anything is sent', async (_name, target) => {
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: `${upstream.url}/api` } });
    const before = [stub.requests.length, upstream.requests.length];
    await expect(client.fetch('wfm', target)).rejects.toMatchObject({ kind: 'usage' });
    expect([stub.requests.length, upstream.requests.length]).toEqual(before);
  });

  it('refuses plain http where no upstream is declared', async () => {
    const client = createTokenBrokerClient({ url: stub.url });
    await expect(client.fetch('wfm', 'http://wfm.example.com/x')).rejects.toMatchObject({ kind: 'usage' });
  });

  it('refuses a token of the caller’s own', async () => {
    stub.answer({ body: handOutBody('token', Date.now()) });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    const call = client.fetch('wfm', '/x', { headers: { wfmsgapikey: 'mine' } });
    await expect(call).rejects.toMatchObject({ kind: 'usage' });
  });

  it('takes up no token from a 401 (C16)', async () => {
    stub.answer({ body: handOutBody('first', Date.now()) }, { body: handOutBody('second', Date.now()) });
    upstream.answer({ status: 401, headers: { wfmsgapikey: 'of-a-401' } });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    const response = await client.fetch('wfm', '/x');
    expect([response.status, response.headers.has('wfmsgapikey')]).toEqual([401, false]);
    expect((await client.use('wfm')).headers).toEqual({ WFMSGAPIKEY: 'second' });
  });

  it('tries a token that others have had renewed before it reports its own (C18)', async () => {
    stub.answer({ body: handOutBody('old', Date.now()) }, { body: handOutBody('new', Date.now()) });
    const held: (() => void)[] = [];
    upstream.answer((_request, response) => held.push(() => response.writeHead(401).end()), {});
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    const slow = client.fetch('wfm', '/slow');
    await expect.poll(() => held.length).toBe(1);
    await client.reject('wfm', { token: 'old' });
    const before = stub.requests.length;
    held[0]?.();
    expect((await slow).status).toBe(200);
    expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe('new');
    expect(stub.requests.length).toBe(before);
  });

  it('ends a chain of slides with the longest session (C20)', async () => {
    stub.answer({ body: handOutBody('token', Date.now() - 60_000) });
    upstream.answer({ headers: { wfmsgapikey: 'slid' } });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url }, maxSessionSeconds: 30 });
    await client.fetch('wfm', '/x');
    await client.fetch('wfm', '/x');
    expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe('token');
  });

  it('never replaces a newer slide with an older (C18)', async () => {
    stub.answer({ body: handOutBody('token', Date.now()) });
    const held: (() => void)[] = [];
    upstream.answer((_request, response) => held.push(() => response.writeHead(200, { wfmsgapikey: 'older' }).end()), {
      headers: { wfmsgapikey: 'newer' },
    });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    const slow = client.fetch('wfm', '/slow');
    await expect.poll(() => held.length).toBe(1);
    await client.fetch('wfm', '/fast');
    held[0]?.();
    await slow;
    expect((await client.use('wfm')).headers).toEqual({ WFMSGAPIKEY: 'newer' });
  });
});

describe('client.proxy', () => {
  it('reaches the upstream with no token in sight', async () => {
    const client = createTokenBrokerClient({ url: broker.url });
    const response = await client.proxy('wfm', '/AgentLogonReport?name=Müller&a=1+2', {
      headers: { accept: 'application/json' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.has('wfmsgapikey')).toBe(false);
    expect(await response.json()).toMatchObject({ query: 'name=M%C3%BCller&a=1%202' });
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

  it('refuses a path out of its slot, and an Authorization of the caller’s own', async () => {
    const client = createTokenBrokerClient({ url: stub.url });
    const before = stub.requests.length;
    for (const path of ['/../../helpdesk/system/x', '/%2e%2e/88/x', 'x', '']) {
      await expect(client.proxy('wfm', path)).rejects.toMatchObject({ kind: 'usage' });
    }
    await expect(client.proxy('wfm', '/x', { headers: { authorization: 'Bearer x' } })).rejects.toMatchObject({
      kind: 'usage',
    });
    expect(stub.requests.length).toBe(before);
  });
});
