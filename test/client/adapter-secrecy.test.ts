import { inspect } from 'node:util';
import axios from 'axios';
import got, { type Got } from 'got';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attachTokenBroker } from '../../client/adapters/axios.ts';
import { tokenBrokerForGot } from '../../client/adapters/got.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { handOutBody, type Stub, startStub } from './broker-stub.ts';

const CANARY = 'canary-5f1c0a9e7d3b';
let stub: Stub;
let upstream: Stub;
/** A port at which nobody listens. */
let nobody: string;

beforeAll(async () => {
  let gone: Stub;
  [stub, upstream, gone] = await Promise.all([startStub(), startStub(), startStub()]);
  nobody = gone.url;
  await gone.close();
});
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

/** All that printing can show of it. */
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
    const error = await outcomeOf(call(nobody));
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error)).toContain('ECONNREFUSED');
    expect(shownOf(error)).not.toContain(CANARY);
  });
});

it.each([
  ['axios over http', axiosOver('http'), 'json'],
  ['axios over http, streaming,', axiosOver('http'), 'stream'],
  ['axios over fetch', axiosOver('fetch'), 'json'],
  ['axios over fetch, streaming,', axiosOver('fetch'), 'stream'],
  ['got', (base: string) => gotOver(base).get(`${base}/x`), 'json'],
] as const)('%s shows the token in no answer', async (_name, call, responseType) => {
  upstream.answer({ body: {} });
  const answer = await call(upstream.url, responseType);
  expect(upstream.requests.at(-1)?.headers['wfmsgapikey']).toBe(CANARY);
  expect(shownOf(answer)).not.toContain(CANARY);
});

it('got places the token again when it tries again by itself', async () => {
  const before = upstream.requests.length;
  upstream.answer({ status: 503, body: {} }, { body: {} });
  expect((await gotOver(upstream.url).get(`${upstream.url}/x`)).statusCode).toBe(200);
  const sent = upstream.requests.slice(before).map(({ headers }) => headers['wfmsgapikey']);
  expect(sent).toEqual([CANARY, CANARY]);
});
