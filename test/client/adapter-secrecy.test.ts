import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import axios from 'axios';
import got, { type Got, RequestError } from 'got';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { attachTokenBroker } from '../../client/adapters/axios.ts';
import { tokenBrokerForGot } from '../../client/adapters/got.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { handOutBody, type StubAnswer, startStub } from './broker-stub.ts';

const CANARY = 'canary-5f1c0a9e7d3b';
/** The token that an answer of the upstream brings. */
const SLID = 'slid-canary-71be44d0c2';
const SLIDES = { WFMSGAPIKEY: SLID };
/** A port that no program is given by chance, and that `fetch` does not refuse. */
const NOBODY_LISTENS = 'http://127.0.0.1:2';

const [stub, upstream] = await Promise.all([startStub(), startStub()]);
afterAll(() => Promise.all([stub.close(), upstream.close()]));
beforeEach(() => stub.answer({ body: handOutBody(CANARY, Date.now()) }));

const clientFor = (base: string) => createTokenBrokerClient({ url: stub.url, upstreams: { wfm: base } });

type Caller = (base: string, responseType?: 'json' | 'stream') => Promise<unknown>;

const axiosOver =
  (adapter: 'http' | 'fetch'): Caller =>
  (base, responseType = 'json') => {
    const instance = axios.create({ adapter });
    attachTokenBroker(instance, clientFor(base), 'wfm');
    return instance.get(`${base}/x`, { responseType });
  };

const gotOver = (base: string): Got =>
  got.extend({ retry: { limit: 1, backoffLimit: 1 } }, tokenBrokerForGot(clientFor(base), 'wfm'));

/** Each library as its users call it. */
const libraries: readonly [string, Caller][] = [
  ['axios over http', axiosOver('http')],
  ['axios over fetch', axiosOver('fetch')],
  ['got', (base) => gotOver(base).get(`${base}/x`)],
  ['a stream of got', (base) => gotOver(base).stream(`${base}/x`).resume().toArray()],
];

/** Collects all that printing can show of a value. */
function shownOf(value: unknown): string {
  const parts = [inspect(value), inspect(value, { depth: 6 }), inspect(value, { depth: Number.POSITIVE_INFINITY })];
  try {
    parts.push(JSON.stringify(value) ?? '');
  } catch (error) {
    // Answers of these libraries are circular; then there is no JSON to leak into.
    if (!(error instanceof TypeError)) throw error;
  }
  return parts.join('\n');
}

function expectNoToken(value: unknown): void {
  const shown = shownOf(value);
  expect(shown.includes(CANARY), 'shows the token that was sent').toBe(false);
  expect(shown.includes(SLID), 'shows the token that came').toBe(false);
}

const outcomeOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe.each(libraries)('%s', (_name, call) => {
  it('shows the token in no error after a 500', async () => {
    upstream.answer({ status: 500, body: { wrong: true } });
    const error = await outcomeOf(call(upstream.url));
    expect(error).toBeInstanceOf(Error);
    expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe(CANARY);
    expect(shownOf(error)).not.toContain(CANARY);
  });

  it('shows the token in no error where nobody listens', async () => {
    const error = await outcomeOf(call(NOBODY_LISTENS));
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error)).toContain('ECONNREFUSED');
    expect(shownOf(error)).not.toContain(CANARY);
  });
});

/** A gzipped answer, which the libraries unpack: their body is then another stream than node's. */
const gzipped: StubAnswer = (_request, response) => {
  response.writeHead(200, { ...SLIDES, 'content-encoding': 'gzip' }).end(gzipSync('{}'));
};
const plain: StubAnswer = { headers: SLIDES, body: {} };

describe.each([
  ['plain', plain],
  ['gzipped', gzipped],
] as const)('of %s answers', (_kind, upstreamAnswer) => {
  it.each([
    ['axios over http', axiosOver('http'), 'json'],
    ['axios over http, streaming,', axiosOver('http'), 'stream'],
    ['axios over fetch', axiosOver('fetch'), 'json'],
    ['axios over fetch, streaming,', axiosOver('fetch'), 'stream'],
    ['got', (base: string) => gotOver(base).get(`${base}/x`), 'json'],
  ] as const)('%s shows neither the token sent nor the one that came (C15)', async (_name, call, responseType) => {
    upstream.answer(upstreamAnswer);
    const answer = await call(upstream.url, responseType);
    expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe(CANARY);
    expectNoToken(answer);
    expectNoToken(Reflect.get(Object(answer), 'data'));
  });
});

it('axios leaves the body alone where it looks like an answer of node', async () => {
  const body = { headers: { wfmsgapikey: 'x' }, rawHeaders: ['wfmsgapikey', 'x'] };
  upstream.answer({ body });
  expect(await axiosOver('http')(upstream.url)).toMatchObject({ data: body });
});

it('axios, streaming, shows no token in the error after a 500', async () => {
  upstream.answer({ status: 500, ...plain });
  const error = await outcomeOf(axiosOver('http')(upstream.url, 'stream'));
  expect(error).toBeInstanceOf(Error);
  expectNoToken(error);
});

describe('the answer in an error of got', () => {
  const notJson: StubAnswer = { headers: SLIDES, body: 'no JSON' };
  const brokenOff: StubAnswer = (_request, response) => {
    response.writeHead(200, { ...SLIDES, 'content-length': '100' });
    response.write('{', () => response.destroy());
  };

  it.each([
    ['that is no JSON', 'ParseError', 200, notJson],
    ['that breaks off', 'ReadError', 200, brokenOff],
    ['with a 500', 'HTTPError', 500, { status: 500, headers: SLIDES, body: {} }],
  ] as const)(
    '%s shows no token, and the one that came is kept (C15)',
    async (_name, expected, status, upstreamAnswer) => {
      upstream.answer(upstreamAnswer);
      const client = clientFor(upstream.url);
      const instance = got.extend({ retry: { limit: 0 }, responseType: 'json' }, tokenBrokerForGot(client, 'wfm'));
      const error = await outcomeOf(Promise.resolve(instance.get(`${upstream.url}/x`)));
      if (!(error instanceof RequestError)) throw error;
      expect(error.name).toBe(expected);
      expect(error.response?.statusCode).toBe(status);
      expectNoToken(error);
      expectNoToken(error.response);
      expect((await client.use('wfm')).headers).toEqual({ WFMSGAPIKEY: SLID });
    },
  );

  it('shows no token where a stream ends with a 500', async () => {
    upstream.answer({ status: 500, headers: SLIDES, body: {} });
    const error = await outcomeOf(gotOver(upstream.url).stream(`${upstream.url}/x`).resume().toArray());
    if (!(error instanceof RequestError)) throw error;
    expectNoToken(error.response);
  });
});

it('got shows no token in the answer to its second try, and the one that came is kept (C15, C18)', async () => {
  const next = 'canary-of-the-second-try';
  stub.answer({ body: handOutBody(CANARY, Date.now()) }, { body: handOutBody(next, Date.now()) });
  upstream.answer({ status: 401, body: {} }, plain);
  const client = clientFor(upstream.url);
  const answer = await got.extend(tokenBrokerForGot(client, 'wfm')).get(`${upstream.url}/x`);
  expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe(next);
  expectNoToken(answer);
  expect(shownOf(answer)).not.toContain(next);
  expect((await client.use('wfm')).headers).toEqual({ WFMSGAPIKEY: SLID });
});

it('got places the token again when it tries again by itself', async () => {
  const before = upstream.requests.length;
  upstream.answer({ status: 503, body: {} }, { body: {} });
  expect((await gotOver(upstream.url).get(`${upstream.url}/x`)).statusCode).toBe(200);
  const sent = upstream.requests.slice(before).map(({ headers }) => headers['wfmsgapikey']);
  expect(sent).toEqual([CANARY, CANARY]);
});
