import { describe, expect, it } from 'vitest';
import type { LocalPage } from '../../../local/gateway/gateway.ts';
import { responseFromResult } from '../../../local/gateway/response.ts';
import { openGateway } from './gateway-harness.ts';

describe('responseFromResult', () => {
  it('sends status, headers and body as given', () => {
    const answer = responseFromResult({
      statusCode: 201,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': 7, 'X-Flag': true, 'X-Gone': undefined },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
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

  it('takes a body without a type for JSON', () => {
    expect(responseFromResult({ statusCode: 200, body: '{}' }).headers).toEqual({ 'content-type': 'application/json' });
  });

  it('keeps the headers that are the gateway’s own business, and gives others another name', () => {
    const { headers } = responseFromResult({
      statusCode: 200,
      headers: { Connection: 'close', 'Transfer-Encoding': 'chunked', Date: 'today', 'WWW-Authenticate': 'Basic' },
    });

    expect(headers).toEqual({
      'x-amzn-remapped-connection': 'close',
      'x-amzn-remapped-date': 'today',
      'x-amzn-remapped-www-authenticate': 'Basic',
    });
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
    ['a value with a line break', { statusCode: 200, multiValueHeaders: { 'set-cookie': ['a=1\r\nx: y'] } }],
    ['values that are a string', { statusCode: 200, multiValueHeaders: { 'set-cookie': 'a=1' } }],
    ['no status', { body: '{}' }],
    ['a text', 'Hello'],
    ['nothing', undefined],
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

    const requestId = response.headers.get('x-amzn-requestid');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('token-broker-error')).toBe('unavailable');
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'unavailable', status: 503, request_id: requestId });
    expect(text).not.toContain('inner-secret');
    expect(reports).toEqual([{ functionName: 'echo', requestId }]);
  });

  it('answers although the report itself fails', async () => {
    const { gateway } = await openGateway({
      handler: () => Promise.reject('text'),
      onError: () => {
        throw new Error('log is broken');
      },
    });

    expect((await fetch(`${gateway.url}/tokens/a/b`)).status).toBe(503);
  });

  it('answers 503 for a result that is no answer', async () => {
    const { gateway, reports } = await openGateway({ handler: async () => ({ statusCode: 99 }) });
    const response = await fetch(`${gateway.url}/tokens/a/b`);

    expect([response.status, await response.json()]).toMatchObject([503, { code: 'unavailable' }]);
    expect(reports).toHaveLength(1);
  });

  it('answers 503 when a function times out and 504 when the API itself gives up on it', async () => {
    const never = () => new Promise(() => {});
    const byFunction = await openGateway({ handler: never, timeoutMs: 20 });
    const byApi = await openGateway({ handler: never, timeoutMs: 60_000, integrationTimeoutMs: 20 });

    const [first, second] = [
      await fetch(`${byFunction.gateway.url}/tokens/a/b`),
      await fetch(`${byApi.gateway.url}/tokens/a/b`),
    ];
    expect([first.status, await first.json()]).toMatchObject([503, { code: 'unavailable' }]);
    expect([second.status, await second.json()]).toMatchObject([504, { code: 'timeout' }]);
    expect(byFunction.reports).toHaveLength(1);
  });

  it('answers 403 where no resource is, and says what else it may mean', async () => {
    const { gateway, events } = await openGateway();
    const response = await fetch(`${gateway.url}/nowhere`);

    expect([response.status, await response.json()]).toMatchObject([
      403,
      { code: 'forbidden', detail: expect.stringMatching(/not signed.*no such route/) },
    ]);
    expect(events).toEqual([]);
  });

  it('sends no body for HEAD and 204, and keeps the connection in step', async () => {
    const { gateway } = await openGateway({
      handler: async ({ httpMethod }) => {
        return httpMethod === 'HEAD' ? { statusCode: 200, body: 'unseen' } : { statusCode: 204, body: 'unseen' };
      },
    });
    const head = await fetch(`${gateway.url}/proxy/a/b/c`, { method: 'HEAD' });
    const none = await fetch(`${gateway.url}/proxy/a/b/c`);

    expect([head.status, await head.text()]).toEqual([200, '']);
    expect([none.status, await none.text(), none.headers.get('content-length')]).toEqual([204, '', null]);
  });

  it('serves local pages before routes, and answers 503 when one throws', async () => {
    const { gateway, events, reports } = await openGateway({
      pages: new Map<string, LocalPage>([
        ['GET /tokens/a/page', (_request, response) => response.end('page')],
        ['GET /broken', async () => Promise.reject(new Error('page broke'))],
      ]),
    });

    expect(await (await fetch(`${gateway.url}/tokens/a/page?x=1`)).text()).toBe('page');
    expect(events).toEqual([]);
    expect((await fetch(`${gateway.url}/broken`)).status).toBe(503);
    expect(reports[0]?.functionName).toBe('page');
    expect((await fetch(`${gateway.url}/tokens/a/page`, { method: 'POST' })).status).toBe(204);
  });
});
