import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../client/agent/limits.ts';
import { handOutBody, problem, startStub } from '../broker-stub.ts';
import { startLocalBroker } from '../local-broker.ts';
import { startAgentUnderTest } from './agent-under-test.ts';

const [broker, stub] = await Promise.all([startLocalBroker(), startStub()]);
afterAll(() => Promise.all([broker.close(), stub.close()]));

const served = [
  { connection: 'wfm', subject: 'system' },
  { connection: 'helpdesk', subject: '*' },
];

describe('the agent of a broker', async () => {
  const agent = await startAgentUnderTest(broker.url, { served });
  afterAll(() => agent.close());

  it("hands out a token in the broker's shape, the second time from memory", async () => {
    const first = await agent.ask('/tokens/helpdesk/88');
    const { logins } = await broker.counts('helpmaster');
    const second = await agent.ask('/tokens/helpdesk/88');

    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(first.json).toMatchObject({ connection: 'helpdesk', subject: '88', token_type: 'Bearer', source: 'login' });
    expect(first.json['headers']).toEqual({ Authorization: `Bearer ${String(first.json['access_token'])}` });
    expect(second.json).toEqual({ ...first.json, source: 'cache', expires_in: expect.any(Number) });
    expect((await broker.counts('helpmaster')).logins).toBe(logins);
  });

  it('reports a dead token, and gives the next one', async () => {
    const { access_token: token } = (await agent.ask('/tokens/wfm/system')).json;
    const rejected = createHash('sha256').update(String(token)).digest('hex');
    const report = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rejected }),
    };
    const [next, again] = [
      await agent.ask('/tokens/wfm/system', report),
      await agent.ask('/tokens/wfm/system', report),
    ];

    expect(next).toMatchObject({ status: 200, json: { source: 'login', generation: 2 } });
    expect(again).toMatchObject({ status: 200, json: { source: 'cache', generation: 2 } });
    expect((await agent.ask('/tokens/wfm/system')).json['access_token']).toBe(next.json['access_token']);
  });

  it('places a token in a call through the proxy, with its query, its body and its headers', async () => {
    const { status, json, text } = await agent.ask('/proxy/wfm/system/AgentLogonReport?a=b', {
      method: 'POST',
      headers: { 'content-type': 'text/plain', cookie: 'a=b', 'x-amz-security-token': 'none' },
      body: 'hello',
    });
    const { access_token: token } = (await agent.ask('/tokens/wfm/system')).json;

    expect(status).toBe(200);
    expect(json).toMatchObject({ method: 'POST', query: 'a=b', body: { length: 5 } });
    expect(json['headerNames']).toContain('wfmsgapikey');
    expect(json['headerNames']).not.toContain('cookie');
    expect(text).not.toContain(String(token));
  });

  it("gives the upstream's own refusals as they are, and marks the broker's", async () => {
    await broker.turn('community', { callStatus: 418 });
    const upstreams = await agent.ask('/proxy/wfm/system/AgentLogonReport');
    await broker.turn('community', { callStatus: null });
    const brokers = await agent.ask('/proxy/wfm/system/AgentLogonReport', { method: 'DELETE' });

    expect(upstreams.status).toBe(418);
    expect(upstreams.headers).not.toHaveProperty('token-broker-error');
    expect(brokers).toMatchObject({ status: 403, headers: { 'token-broker-error': 'proxy_not_allowed' } });
    expect(brokers.json).toMatchObject({ code: 'proxy_not_allowed', status: 403 });
  });

  it.each([
    ['a token that would have to live too long', '/tokens/wfm/system?min_ttl=9999', 400, 'min_ttl_unsatisfiable'],
    ['a min_ttl that is none', '/tokens/wfm/system?min_ttl=soon', 400, 'invalid_request'],
    ['a parameter that there is not', '/tokens/wfm/system?minttl=60', 400, 'invalid_request'],
    ['a subject that cannot be', '/tokens/helpdesk/0', 400, 'invalid_subject'],
    ['a path that there is not', '/token/wfm/system', 404, 'not_found'],
  ])("answers %s with the broker's code", async (_name, path, status, code) => {
    const answer = await agent.ask(path);

    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } });
    expect(answer.json).toMatchObject({ type: `urn:token-broker:error:${code}`, code, status });
    expect(answer.json['request_id']).toMatch(/./);
    expect(answer.json['detail']).toMatch(/./);
  });

  it('names the methods of a path', async () => {
    expect(await agent.ask('/tokens/wfm/system', { method: 'PUT' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, POST' },
      json: { code: 'method_not_allowed' },
    });
  });

  it('is healthy without a token being shown', async () => {
    const headers = { 'x-token-broker-agent-token': undefined };
    expect(await agent.ask('/health', { headers })).toMatchObject({
      status: 200,
      json: { status: 'ok', broker: 'ok' },
    });
  });
});

/** Mark of an upstream's answer that came through the broker. */
const ofUpstream = { 'token-broker-upstream': 'wfm' };

describe('the agent of a broker that is a stub', () => {
  let agent: Awaited<ReturnType<typeof startAgentUnderTest>>;
  beforeEach(async () => {
    agent = await startAgentUnderTest(stub.url, { served });
  });
  afterEach(() => agent.close());

  const handsOut = (token: string) => stub.answer({ body: handOutBody(token, agent.time.now) });
  const token = async () => (await agent.ask('/tokens/wfm/system')).json['access_token'];

  it('asks once for many callers', async () => {
    handsOut('one');
    const before = stub.requests.length;
    const all = await Promise.all(Array.from({ length: 50 }, token));

    expect(new Set(all)).toEqual(new Set(['one']));
    expect(stub.requests.length - before).toBe(1);
  });

  it('has no caller wait for a renewal while the token is good', async () => {
    handsOut('one');
    await token();
    agent.time.now += 601_000;
    const waiting: ServerResponse[] = [];
    stub.answer((_request, response) => waiting.push(response));

    expect(await token()).toBe('one');
    await expect.poll(() => waiting.length).toBe(1);
    expect(await token()).toBe('one');

    const { expires_in: left } = (await agent.ask('/tokens/wfm/system')).json;
    expect(left).toBe(1195 - 601);
    waiting[0]?.writeHead(200).end(JSON.stringify(handOutBody('two', agent.time.now)));
    await expect.poll(token).toBe('two');
  });

  it('hands out a good token through an outage, and says so once; after its end the outage shows', async () => {
    handsOut('one');
    await token();
    stub.answer({ status: 500, body: { message: 'Internal Server Error' } });
    for (let minute = 0; minute < 8; minute += 1) {
      agent.time.now += 61_000 + (minute === 0 ? 600_000 : 0);
      expect(await token()).toBe('one');
    }
    await expect.poll(() => agent.reports).toHaveLength(1);
    agent.time.now += 300_000;

    expect(await agent.ask('/tokens/wfm/system')).toMatchObject({ status: 500, json: { code: 'gateway' } });
    expect((await agent.ask('/health')).json).toEqual({ status: 'ok', broker: 'unreachable' });
    handsOut('two');
    expect(await token()).toBe('two');
    expect(agent.reports).toEqual([expect.stringMatching(/^No answer of the broker: /), 'The broker answers again.']);
  });

  it('gives up a token that the broker refuses this caller', async () => {
    handsOut('one');
    await token();
    stub.answer(problem(403, 'forbidden'));
    agent.time.now += 601_000;
    await token();

    await expect
      .poll(() => agent.ask('/tokens/wfm/system'))
      .toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  it.each([
    ['503 where nothing answers', (_: unknown, response: ServerResponse) => void response.destroy(), 503, 'network'],
    ['502 for an answer that is none', { body: '<html></html>' }, 502, 'invalid_answer'],
    ['the broker’s 503 with its time', problem(503, 'cooldown', { 'retry-after': '600' }), 503, 'cooldown'],
  ])('answers %s', async (_name, answer, status, code) => {
    stub.answer(answer);
    const { headers, ...answered } = await agent.ask('/tokens/wfm/system');

    expect(answered).toMatchObject({ status, json: { code } });
    expect(headers['retry-after']).toBe({ cooldown: '600', network: '1' }[code]);
  });

  it('has a location of the proxy lead through the agent', async () => {
    const based = await startAgentUnderTest(`${stub.url}/v1`, { served, basePath: '/v1' });
    stub.answer({ status: 201, headers: { ...ofUpstream, location: '/v1/proxy/wfm/system/jobs/7' }, body: {} });
    const { headers } = await based.ask('/proxy/wfm/system/jobs', { method: 'POST' });
    await based.close();

    expect(stub.requests.at(-1)?.target).toBe('/v1/proxy/wfm/system/jobs');
    expect(headers['location']).toBe('/proxy/wfm/system/jobs/7');
  });

  it('passes on an answer that was compressed as what it is, and one to a HEAD with its length', async () => {
    const { gzipSync } = await import('node:zlib');
    stub.answer((_request, response) =>
      response.writeHead(200, { ...ofUpstream, 'content-encoding': 'gzip' }).end(gzipSync('plain')),
    );
    const { text, headers } = await agent.ask('/proxy/wfm/system/x');
    stub.answer((_request, response) => response.writeHead(200, { ...ofUpstream, 'content-length': '4711' }).end());
    const head = await agent.ask('/proxy/wfm/system/x', { method: 'HEAD' });

    expect([text, headers['content-encoding']]).toEqual(['plain', undefined]);
    expect(head.headers['content-length']).toBe('4711');
  });

  it('breaks off an answer that the broker breaks off, and answers the next request', async () => {
    stub.answer((_request, response) => {
      response.writeHead(200, { ...ofUpstream, 'content-length': '10' });
      response.write('half', () => response.destroy());
    });

    await expect(agent.ask('/proxy/wfm/system/x')).rejects.toThrow(/aborted|ECONNRESET/);
    expect(await agent.ask('/health')).toMatchObject({ status: 200 });
  });

  it.each([
    ['a report', '/tokens/wfm/system', LIMITS.tokenBodyBytes],
    ['a proxied call', '/proxy/wfm/system/x', LIMITS.proxiedBodyBytes],
  ])('refuses a body of %s that is too long', async (_name, path, most) => {
    const before = stub.requests.length;
    const body = Buffer.alloc(most + 1, 'x');

    expect(await agent.ask(path, { method: 'POST', body })).toMatchObject({
      status: 413,
      json: { code: 'payload_too_large' },
    });
    expect(stub.requests.length).toBe(before);
  });

  it.each([
    ['text', { 'content-type': 'text/plain' }, '{}', 415],
    ['no JSON', { 'content-type': 'application/json' }, '{', 400],
    ['a token in place of its hash', { 'content-type': 'application/json' }, '{"rejected":"eyJ"}', 400],
  ])('refuses a report that is %s', async (_name, headers, body, status) => {
    expect(await agent.ask('/tokens/wfm/system', { method: 'POST', headers, body })).toMatchObject({ status });
  });

  it('takes so many proxied calls at once, and no more', async () => {
    const waiting: ServerResponse[] = [];
    stub.answer((_request, response) => waiting.push(response));
    const calls = Array.from({ length: LIMITS.proxiedCalls }, () => agent.ask('/proxy/wfm/system/x'));
    await expect.poll(() => waiting.length).toBe(LIMITS.proxiedCalls);

    expect(await agent.ask('/proxy/wfm/system/x')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { code: 'unavailable' },
    });
    for (const response of waiting) response.writeHead(200, ofUpstream).end('{}');
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
  });

  it('refuses a head that is too long, and ends a connection that sends none', async () => {
    expect(await agent.ask('/health', { headers: { a: 'x'.repeat(LIMITS.headBytes) } })).toMatchObject({ status: 431 });
    const socket = connect(Number(new URL(agent.address).port), '127.0.0.1');
    socket.write('GET /health HTTP/1.1\r\nhost: x');
    socket.resume();
    await once(socket, 'close');
  });

  it('lets a request at work end before it stops, and takes no other', async () => {
    const stopping = await startAgentUnderTest(stub.url, { served });
    const waiting: ServerResponse[] = [];
    stub.answer((_request, response) => waiting.push(response));
    const call = stopping.ask('/tokens/wfm/system');
    await expect.poll(() => waiting.length).toBe(1);
    const closed = stopping.close();
    await expect(stopping.ask('/health')).rejects.toThrow('ECONNREFUSED');
    waiting[0]?.writeHead(200).end(JSON.stringify(handOutBody('one', stopping.time.now)));

    expect((await call).json).toMatchObject({ access_token: 'one' });
    await closed;
  });
});
