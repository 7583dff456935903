import { createServer } from 'node:http';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createTokenBrokerClient, type TokenBrokerClient, TokenBrokerError } from '../../client/index.ts';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { handOutBody, startStub } from './broker-stub.ts';
import { startLocalBroker } from './local-broker.ts';

const [broker, stub, upstream] = await Promise.all([startLocalBroker(), startStub(), startStub()]);
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
    const hasty = createTokenBrokerClient({
      url: broker.url,
      upstreams: { wfm: broker.community.baseUrl },
      clock: { now: Date.now, sleep: async () => undefined },
    });
    await hasty.token('wfm');
    await broker.turn('community', { revokeIssued: true, loginStatus: 503 });
    expect((await hasty.fetch('wfm', '/AgentLogonReport')).status).toBe(401);
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
    });
    const location = `${await listenOnLoopback(elsewhere, 0)}/`;
    stub.answer({ body: handOutBody('token', Date.now()) });
    upstream.answer({ status: 302, headers: { location } });
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
    ['another path of the origin', (base: string) => `${base}/admin`],
    ['a path that only begins alike', (base: string) => `${base}/apiary/x`],
    ['an absolute URL that climbs', (base: string) => `${base}/api/../admin`],
    ['a climb whose slash is escaped', (base: string) => `${base}/api/..%2fadmin`],
    ['a climb that is escaped whole', '/%2e%2e%2Fadmin'],
    ['a climb with a path parameter', '/..;x/admin'],
    ['an escaped climb with a path parameter', '/%2e%2e;x/admin'],
    ['a climb with an escaped path parameter', (base: string) => `${base}/api/..%3Bx/admin`],
  ])('refuses %s before anything is sent', async (_name, target) => {
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: `${upstream.url}/api` } });
    const before = [stub.requests.length, upstream.requests.length];
    const url = typeof target === 'string' ? target : target(upstream.url);
    await expect(client.fetch('wfm', url)).rejects.toMatchObject({ kind: 'usage' });
    expect([stub.requests.length, upstream.requests.length]).toEqual(before);
  });

  it('takes an absolute URL behind the declared path', async () => {
    stub.answer({ body: handOutBody('token', Date.now()) });
    upstream.answer({ body: {} });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: `${upstream.url}/api/` } });
    expect((await client.fetch('wfm', `${upstream.url}/api/a..b/x?q=../y`)).status).toBe(200);
    expect(upstream.requests.at(-1)?.target).toBe('/api/a..b/x?q=../y');
  });

  it.each(['/x', 'http://wfm.intranet/api/x'])(
    'sends a token over plain http where the upstream is declared so: %s',
    async (target) => {
      stub.answer({ body: handOutBody('token', Date.now()) });
      const called: string[] = [];
      const client = createTokenBrokerClient({
        url: stub.url,
        upstreams: { wfm: 'http://wfm.intranet/api' },
        fetch: async (input, init) => {
          const to = String(input);
          if (to.startsWith(stub.url)) return fetch(input, init);
          called.push(`${to} ${new Headers(init?.headers).get('wfmsgapikey')}`);
          return new Response('{}');
        },
      });
      expect((await client.fetch('wfm', target)).status).toBe(200);
      expect(called).toEqual(['http://wfm.intranet/api/x token']);
      client.assertUpstream('wfm', 'http://wfm.intranet/api/x');
    },
  );

  it.each([
    ['http', 'https://wfm.intranet/api', 'http://wfm.intranet/api/x'],
    ['http at the port of https', 'https://wfm.intranet/api', 'http://wfm.intranet:443/api/x'],
    ['https', 'http://wfm.intranet/api', 'https://wfm.intranet/api/x'],
    ['http of another host', 'http://wfm.intranet/api', 'http://elsewhere.intranet/api/x'],
    ['ftp', 'ftp://wfm.intranet/api', 'ftp://wfm.intranet/api/x'],
    ['schemes without an origin', 'data:/api', 'data:/api/x'],
  ])('refuses %s for what is declared', async (_name, wfm, target) => {
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm } });
    const before = stub.requests.length;
    await expect(client.fetch('wfm', target)).rejects.toMatchObject({ kind: 'usage' });
    expect(() => client.assertUpstream('wfm', target)).toThrow(TokenBrokerError);
    expect(stub.requests.length).toBe(before);
  });

  it('refuses plain http where no upstream is declared', async () => {
    const client = createTokenBrokerClient({ url: stub.url });
    await expect(client.fetch('wfm', 'http://wfm.example.com/x')).rejects.toMatchObject({
      kind: 'usage',
      detail: expect.stringContaining('upstreams.wfm'),
    });
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

  it('keeps a slid token of up to 16 KB, as the broker takes one', async () => {
    stub.answer({ body: handOutBody('t0', Date.now()) });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    for (const [length, isKept] of [
      [12_000, true],
      [20_000, false],
    ] as const) {
      (await client.use('wfm')).answered(200, 'x'.repeat(length));
      expect((await client.use('wfm')).headers['WFMSGAPIKEY']?.length === length).toBe(isKept);
    }
  });

  it.each(['null', 'undefined', 'None'])('keeps no slid token that is a word for none: %s (C16)', async (word) => {
    stub.answer({ body: handOutBody('t0', Date.now()) });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    (await client.use('wfm')).answered(200, word);
    expect((await client.use('wfm')).headers).toEqual({ WFMSGAPIKEY: 't0' });
  });

  it('sends no token that goes into the query, where it would be logged', async () => {
    stub.answer({ body: handOutBody('token', Date.now(), { headers: {}, query: { key: 'token' } }) });
    const client = createTokenBrokerClient({ url: stub.url, upstreams: { wfm: upstream.url } });
    const before = upstream.requests.length;
    await expect(client.fetch('wfm', '/x')).rejects.toMatchObject({ kind: 'usage' });
    expect(upstream.requests.length).toBe(before);
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
