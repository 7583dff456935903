import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import axios, { AxiosError } from 'axios';
import got from 'got';
import { Agent, type Dispatcher, request, fetch as undiciFetch } from 'undici';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { attachTokenBroker } from '../../client/adapters/axios.ts';
import { tokenBrokerForGot } from '../../client/adapters/got.ts';
import { tokenBrokerInterceptor } from '../../client/adapters/undici.ts';
import { createTokenBrokerClient, type TokenBrokerClient } from '../../client/index.ts';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { startStub } from './broker-stub.ts';
import { startLocalBroker } from './local-broker.ts';

let client: TokenBrokerClient;

const broker = await startLocalBroker();
const agent = new Agent();
afterAll(async () => {
  await agent.close();
  await broker.close();
});

beforeEach(async () => {
  await broker.turn('community', { callStatus: null });
  client = createTokenBrokerClient({ url: broker.url, upstreams: { wfm: broker.community.baseUrl } });
  await client.purge('wfm');
});

interface Answer {
  readonly status: number;
  readonly headers: object;
  readonly body: unknown;
}

/** One way of calling the upstream: each library as its users call it. */
type Caller = (path: string, init?: { body?: string | Readable }) => Promise<Answer>;

const url = (path: string) => `${broker.community.baseUrl}${path}`;

const libraries: readonly [string, () => Caller][] = [
  [
    'undici request',
    () =>
      async (path, { body } = {}) => {
        const dispatcher = agent.compose(tokenBrokerInterceptor(client, 'wfm'));
        const method = body === undefined ? 'GET' : 'POST';
        const answer = await request(url(path), { dispatcher, method, ...(body === undefined ? {} : { body }) });
        return { status: answer.statusCode, headers: answer.headers, body: await answer.body.json() };
      },
  ],
  [
    'undici fetch',
    () =>
      async (path, { body } = {}) => {
        const dispatcher = agent.compose(tokenBrokerInterceptor(client, 'wfm'));
        const init = body === undefined ? {} : { method: 'POST', body, duplex: 'half' as const };
        const answer = await undiciFetch(url(path), { dispatcher, ...init });
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
      },
  ],
  [
    'axios',
    () => {
      const instance = axios.create({ baseURL: broker.community.baseUrl, validateStatus: () => true });
      attachTokenBroker(instance, client, 'wfm');
      return async (path, { body } = {}) => {
        const answer = await (body === undefined ? instance.get(path) : instance.post(path, body));
        return { status: answer.status, headers: answer.headers, body: answer.data };
      };
    },
  ],
  [
    'axios that throws',
    () => {
      const instance = axios.create({ baseURL: broker.community.baseUrl });
      attachTokenBroker(instance, client, 'wfm');
      return async (path, { body } = {}) => {
        try {
          const answer = await (body === undefined ? instance.get(path) : instance.post(path, body));
          return { status: answer.status, headers: answer.headers, body: answer.data };
        } catch (error) {
          if (!(error instanceof AxiosError) || error.response === undefined) throw error;
          const { token } = await client.token('wfm');
          expect(JSON.stringify(error)).not.toContain(token);
          const { status, headers, data } = error.response;
          return { status, headers, body: data };
        }
      };
    },
  ],
  [
    'got',
    () => {
      const instance = got.extend(
        { prefixUrl: '', throwHttpErrors: false, retry: { limit: 0 } },
        tokenBrokerForGot(client, 'wfm'),
      );
      return async (path, { body } = {}) => {
        const answer = await (body === undefined ? instance.get(url(path)) : instance.post(url(path), { body }));
        return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.body) };
      };
    },
  ],
];

describe.each(libraries)('%s', (name, create) => {
  it('places the token, keeps the slid one for the next call, and shows it to nobody (C14, C15, C16)', async () => {
    const call = create();
    const counted = await broker.counting('community');
    const before = await client.use('wfm');
    const first = await call('/AgentLogonReport');
    const afterwards = await client.use('wfm');

    expect(first.status).toBe(200);
    expect(Object.keys(first.headers).map((name) => name.toLowerCase())).not.toContain('wfmsgapikey');
    expect(afterwards.headers).not.toEqual(before.headers);
    // The token that the first call began with is ended: the second can only work with the slid one.
    expect((await call('/AgentLogonReport')).status).toBe(200);
    expect(await counted()).toMatchObject({ logins: 1, calls: 2 });
  });

  it('reports a dead token once and makes the call again', async () => {
    const call = create();
    const counted = await broker.counting('community');
    await client.token('wfm');
    await endSession();
    // undici's fetch hands every body on as a stream.
    const init = name === 'undici fetch' ? {} : { body: '{"a":1}' };
    expect((await call('/AgentLogonReport', init)).status).toBe(200);
    expect(await counted()).toMatchObject({ logins: 2, calls: 2 });
  });

  it('does not make a call with a stream for a body again', async () => {
    const call = create();
    const counted = await broker.counting('community');
    await client.token('wfm');
    await endSession();
    expect((await call('/AgentLogonReport', { body: Readable.from(['{"a":1}']) })).status).toBe(401);
    expect(await counted()).toMatchObject({ calls: 1 });
  });

  it('passes a second 401 on', async () => {
    const call = create();
    const counted = await broker.counting('community');
    await broker.turn('community', { callStatus: 401 });
    expect((await call('/AgentLogonReport')).status).toBe(401);
    expect(await counted()).toMatchObject({ logins: 2, calls: 2 });
  });
});

it.each<[string, NonNullable<Dispatcher.RequestOptions['headers']>]>([
  ['a flat list', ['accept', 'a', 'X-Repeated', 'one', 'x-repeated', 'two', 'x-repeated', 'three']],
  [
    'pairs',
    new Map<string, string | string[]>([
      ['accept', 'a'],
      ['x-repeated', ['one', 'two', 'three']],
    ]),
  ],
  ['an object', { accept: 'a', 'x-repeated': ['one', 'two', 'three'] }],
])('undici keeps repeated headers given as %s, beside the token', async (_name, headers) => {
  const upstream = await startStub();
  upstream.answer({ body: {} });
  const ownClient = createTokenBrokerClient({ url: broker.url, upstreams: { wfm: upstream.url } });
  const dispatcher = agent.compose(tokenBrokerInterceptor(ownClient, 'wfm'));
  const { body } = await request(`${upstream.url}/x`, { dispatcher, headers });
  await body.dump();
  const sent = upstream.requests.at(-1)?.headers;
  expect(sent).toMatchObject({ accept: 'a', 'x-repeated': 'one, two, three' });
  expect(sent).toHaveProperty('wfmsgapikey');
  await upstream.close();
});

/** Ends every session at the upstream, as an administrator may; the broker does not know. */
async function endSession(): Promise<void> {
  await broker.turn('community', { revokeIssued: true });
}

describe('axios, after a 401', () => {
  it('sends the same request, though a transform wraps the body, an interceptor changes the URL and a serializer counts', async () => {
    const sent: { url: string; body: string }[] = [];
    const upstream = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      sent.push({ url: request.url ?? '', body });
      response.writeHead(sent.length === 1 ? 401 : 200, { 'content-type': 'application/json' }).end('{"ok":true}');
    });
    onTestFinished(() => void upstream.close());
    const baseURL = await listenOnLoopback(upstream, 0);
    const own = createTokenBrokerClient({ url: broker.url, upstreams: { helpdesk: baseURL } });
    let serialized = 0;
    const serialize = () => `n=${++serialized}`;
    const instance = axios.create({
      ...{ baseURL, allowAbsoluteUrls: false, params: { a: 1 }, paramsSerializer: { serialize } },
    });
    attachTokenBroker(instance, own, 'helpdesk');
    instance.interceptors.request.use((config) => Object.assign(config, { url: `/v1${config.url}` }));
    const transformRequest = [(data: unknown) => JSON.stringify({ wrapped: data })];

    const { data } = await instance.post('/jobs', { a: 1 }, { transformRequest });

    expect(data).toEqual({ ok: true });
    expect(sent).toEqual(Array(2).fill({ url: '/v1/jobs?n=1', body: '{"wrapped":{"a":1}}' }));
  });
});
