import axios from 'axios';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { attachTokenBroker } from '../../client/adapters/axios.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { handOutBody, startStub } from '../client/broker-stub.ts';

// Whoever writes a part of a path or URL that a program calls with its token: an id, a link, the next page. It wants the
// token at a host of its own, or a call of another path of the same host.
const stub = await startStub();
const called: string[] = [];
const client = createTokenBrokerClient({
  url: stub.url,
  upstreams: { wfm: 'https://wfm.example/api' },
  async fetch(url, init) {
    if (String(url).startsWith(stub.url)) return fetch(url, init);
    called.push(String(url));
    return new Response('{}');
  },
});
afterAll(() => stub.close());
beforeEach(() => {
  called.length = 0;
  stub.answer({ body: handOutBody('the-token', Date.now()) });
});

it('the client sends the token where it should, so that these tests show something', async () => {
  for (const target of ['/jobs/7', 'https://wfm.example/api/jobs/7', '/a..b/...?x=../y']) {
    await client.fetch('wfm', target);
  }
  expect(called).toEqual([
    'https://wfm.example/api/jobs/7',
    'https://wfm.example/api/jobs/7',
    'https://wfm.example/api/a..b/...?x=../y',
  ]);
});

it.each([
  ...['/..%20/admin', '/.. /admin', '/..%09/admin', '/..%00/admin', '/..%0a/admin', '/..%3fx', '/..%23x'],
  ...['/%252e%252e/admin', '/%25252e./admin', '/x%252f../admin', '/x%252f..%252fadmin', '/．．/admin', '/..;/admin'],
  ...['/../admin', '/%2e%2e/admin', '/x/..%2fadmin', '/x%5c..%5cadmin', '/\\..\\..\\admin'],
  ...[
    'https://wfm.example/admin',
    'https://wfm.example/apix',
    'https://evil.example/api/x',
    'http://wfm.example/api/x',
  ],
  ...['https://wfm.example:8443/api/x', 'https://wfm.example./api/x', 'https://wfm.example@evil.example/api/x'],
  ...['https://user:secret@wfm.example/api/x', 'https://user@wfm.example/api/x', 'blob:https://wfm.example/api/x'],
])('the token does not go with %s', async (target) => {
  await expect(client.fetch('wfm', target)).rejects.toMatchObject({ kind: 'usage' });
  expect(called).toEqual([]);
});

it.each(['//evil.example/x', '/x', 'x', '\\\\evil.example/x', '///evil.example'])(
  'an HTTP client is not left to find out where %s leads',
  async (url) => {
    // As in a page: the adapter's check and the client's own resolution would differ.
    const sent: unknown[] = [];
    const adapter = async (config: unknown) => {
      sent.push(config);
      throw new Error('sent');
    };
    const http = axios.create({ adapter });
    attachTokenBroker(http, client, 'wfm');
    await expect(http.get(url)).rejects.toMatchObject({ kind: 'usage' });
    expect(sent).toEqual([]);
  },
);
