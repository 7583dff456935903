import { describe, expect, it } from 'vitest';
import type { LocalPage } from '../../../local/gateway/gateway.ts';
import { responseFromResult } from '../../../local/gateway/response.ts';
import { openGateway } from './gateway-harness.ts';

describe('responseFromResult', () => {
  it('sends status, headers, cookies and body as given', () => {
    const answer = responseFromResult({
      statusCode: 201,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': 7, 'X-Flag': true, 'X-Gone': undefined },
      cookies: ['a=1', 'b=2'],
      body: '{}',
    });

    expect(answer).toEqual({
      statusCode: 201,
      headers: {
        'content-type': 'application/problem+json',
        'retry-after': '7',
        'x-flag': 'true',
        'set-cookie': ['a=1', 'b=2'],
      },
      body: '{}',
    });
  });

  it('decodes a base64 body', () => {
    const answer = responseFromResult({ statusCode: 200, body: '//4A', isBase64Encoded: true });

    expect(answer.body).toEqual(Buffer.from([0xff, 0xfe, 0x00]));
  });

  it('takes a result without statusCode for the JSON of a 200', () => {
    const json = { 'content-type': 'application/json' };

    expect(responseFromResult({ a: 1 })).toEqual({ statusCode: 200, headers: json, body: '{"a":1}' });
    expect(responseFromResult('Hello')).toEqual({ statusCode: 200, headers: json, body: 'Hello' });
    expect(responseFromResult([1])).toEqual({ statusCode: 200, headers: json, body: '[1]' });
    expect(responseFromResult(undefined)).toEqual({ statusCode: 200, headers: json, body: 'null' });
  });

  it('keeps the headers that are the gateway’s own business', () => {
    const { headers } = responseFromResult({
      statusCode: 200,
      headers: { Connection: 'close', 'Transfer-Encoding': 'chunked' },
    });

    expect(headers).toEqual({});
  });

  it.each([
    ['a status that is none', { statusCode: 'ok' }],
    ['an interim status', { statusCode: 101 }],
    ['a fractional status', { statusCode: 200.5 }],
    ['a body that is an object', { statusCode: 200, body: { a: 1 } }],
    ['a header with a line break', { statusCode: 200, headers: { 'x-a': 'b\r\nset-cookie: c' } }],
    ['a header name with a space', { statusCode: 200, headers: { 'x a': 'b' } }],
    ['a header that is a list', { statusCode: 200, headers: { 'x-a': ['b'] } }],
    ['headers that are a list', { statusCode: 200, headers: ['x'] }],
    ['a cookie with a line break', { statusCode: 200, cookies: ['a=1\r\nx: y'] }],
    ['cookies that are a string', { statusCode: 200, cookies: 'a=1' }],
    ['a bigint', 1n],
    ['a function', () => {}],
    ['more than Lambda carries', { statusCode: 200, body: 'x'.repeat(6_300_000) }],
  ])('throws for %s', (_what, result) => {
    expect(() => responseFromResult(result)).toThrow();
  });
});

describe('the gateway’s answers', () => {
  it('hides what a handler threw and reports it', async () => {
    const { gateway, reports } = await openGateway({ handler: () => Promise.reject(new TypeError('inner-secret')) });
    const response = await fetch(`${gateway.url}/tokens/a/b`);

    expect(response.status).toBe(500);
    expect(response.headers.get('cache-control')).toBeNull();
    expect(await response.text()).toBe('{"message":"Internal Server Error"}');
    expect(reports).toEqual([{ functionName: 'echo', requestId: response.headers.get('apigw-requestid') }]);
  });

  it('answers although the report itself fails', async () => {
    const { gateway } = await openGateway({
      handler: () => Promise.reject('text'),
      onError: () => {
        throw new Error('log is broken');
      },
    });

    expect((await fetch(`${gateway.url}/tokens/a/b`)).status).toBe(500);
  });

  it('answers 500 for a result that is no answer', async () => {
    const { gateway, reports } = await openGateway({ handler: async () => ({ statusCode: 99 }) });
    const response = await fetch(`${gateway.url}/tokens/a/b`);

    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(reports).toHaveLength(1);
  });

  it('answers 500 when a function times out and 503 when the API itself gives up on it', async () => {
    const never = () => new Promise(() => {});
    const byFunction = await openGateway({ handler: never, timeoutMs: 20 });
    const byApi = await openGateway({ handler: never, timeoutMs: 60_000, integrationTimeoutMs: 20 });

    const [first, second] = [
      await fetch(`${byFunction.gateway.url}/tokens/a/b`),
      await fetch(`${byApi.gateway.url}/tokens/a/b`),
    ];
    expect([first.status, await first.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect([second.status, await second.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
    expect(byFunction.reports).toHaveLength(1);
  });

  it('answers 404 where no route is', async () => {
    const { gateway, events } = await openGateway();
    const response = await fetch(`${gateway.url}/nowhere`);

    expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
    expect(events).toEqual([]);
  });

  it('sends no body for HEAD and 204, and keeps the connection in step', async () => {
    const { gateway } = await openGateway({
      handler: async ({ requestContext }) => {
        return requestContext.http.method === 'HEAD'
          ? { statusCode: 200, body: 'unseen' }
          : { statusCode: 204, body: 'unseen' };
      },
    });
    const head = await fetch(`${gateway.url}/proxy/a/b/c`, { method: 'HEAD' });
    const none = await fetch(`${gateway.url}/proxy/a/b/c`);

    expect([head.status, await head.text()]).toEqual([200, '']);
    expect([none.status, await none.text(), none.headers.get('content-length')]).toEqual([204, '', null]);
  });

  it('takes the length that a function names for a HEAD alone (RFC 9110 §8.6)', async () => {
    const { gateway } = await openGateway({
      handler: async ({ requestContext }) => ({
        statusCode: 200,
        headers: { 'Content-Length': '99' },
        body: requestContext.http.method === 'HEAD' ? '' : 'seen',
      }),
    });
    const lengthOf = async (method: string) =>
      (await fetch(`${gateway.url}/proxy/a/b/c`, { method })).headers.get('content-length');

    expect([await lengthOf('HEAD'), await lengthOf('GET')]).toEqual(['99', '4']);
  });

  it('serves local pages before routes, and answers 500 when one throws', async () => {
    const { gateway, events, reports } = await openGateway({
      pages: new Map<string, LocalPage>([
        ['GET /tokens/a/page', (_request, response) => response.end('page')],
        ['GET /broken', async () => Promise.reject(new Error('page broke'))],
      ]),
    });

    expect(await (await fetch(`${gateway.url}/tokens/a/page?x=1`)).text()).toBe('page');
    expect(events).toEqual([]);
    expect((await fetch(`${gateway.url}/broken`)).status).toBe(500);
    expect(reports[0]?.functionName).toBe('page');
    expect((await fetch(`${gateway.url}/tokens/a/page`, { method: 'POST' })).status).toBe(204);
  });
});
