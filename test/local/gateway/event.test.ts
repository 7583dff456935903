import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { CALLER, openGateway, sendRaw } from './gateway-harness.ts';

describe('the event', () => {
  it('is a complete payload 2.0 of the $default stage', async () => {
    const now = Date.UTC(2026, 10, 2, 3, 4, 5, 6);
    const { gateway, events } = await openGateway({ now: () => now });
    const response = await fetch(`${gateway.url}/tokens/help%20desk/88?min_ttl=60&a=1&a=2&b=x+y`, {
      headers: { 'User-Agent': 'tests', 'X-Thing': 'Value' },
    });

    expect(events).toEqual([
      {
        version: '2.0',
        routeKey: 'GET /tokens/{connection}/{subject}',
        rawPath: '/tokens/help desk/88',
        rawQueryString: 'min_ttl=60&a=1&a=2&b=x+y',
        headers: expect.objectContaining({
          host: `127.0.0.1:${gateway.port}`,
          'x-thing': 'Value',
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-port': String(gateway.port),
          'x-forwarded-proto': 'http',
        }),
        queryStringParameters: { min_ttl: '60', a: '1,2', b: 'x y' },
        pathParameters: { connection: 'help desk', subject: '88' },
        requestContext: {
          accountId: '000000000000',
          apiId: 'local',
          authorizer: {
            iam: {
              accessKey: 'local',
              accountId: '000000000000',
              callerId: 'local',
              cognitoIdentity: null,
              principalOrgId: '',
              userArn: CALLER,
              userId: 'local',
            },
          },
          domainName: '127.0.0.1',
          domainPrefix: '127',
          http: {
            method: 'GET',
            path: '/tokens/help desk/88',
            protocol: 'HTTP/1.1',
            sourceIp: '127.0.0.1',
            userAgent: 'tests',
          },
          requestId: response.headers.get('apigw-requestid'),
          routeKey: 'GET /tokens/{connection}/{subject}',
          stage: '$default',
          time: '02/Nov/2026:03:04:05 +0000',
          timeEpoch: now,
        },
        isBase64Encoded: false,
      },
    ]);
  });

  it('names no caller on a route without IAM, whatever the client sends', async () => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', headers: { Authorization: 'AWS4-HMAC-SHA256 x' } });

    expect(events[0]?.requestContext).not.toHaveProperty('authorizer');
  });

  it('joins repeated headers by commas, takes cookies out and keeps hop-by-hop headers back', async () => {
    const { gateway, events } = await openGateway();
    await sendRaw(
      gateway.port,
      `GET /tokens/a/b HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nX-A: 1\r\nx-a: 2\r\n` +
        'Cookie: c=1; d=2\r\nCookie: e=3\r\n__proto__: odd\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: close\r\n\r\n',
    );

    const event = events[0];
    expect(event?.cookies).toEqual(['c=1', 'd=2', 'e=3']);
    expect(Object.entries(event?.headers ?? {})).toEqual(
      expect.arrayContaining([
        ['x-a', '1,2'],
        ['__proto__', 'odd'],
        ['x-forwarded-for', '10.0.0.1, 127.0.0.1'],
      ]),
    );
    expect(Object.keys(event?.headers ?? {})).not.toEqual(expect.arrayContaining(['cookie']));
    expect(Object.keys(event?.headers ?? {})).not.toEqual(expect.arrayContaining(['connection']));
  });

  it('keeps __proto__ in the query a parameter like any other', async () => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/tokens/a/b?__proto__=x&%zz=1`);

    expect(Object.entries(events[0]?.queryStringParameters ?? {})).toEqual([
      ['__proto__', 'x'],
      ['%zz', '1'],
    ]);
  });

  it.each([
    ['application/json', '{"a":"é"}', false],
    ['text/plain; charset=utf-8', 'hello', false],
    ['APPLICATION/XML', '<a/>', false],
    ['application/x-www-form-urlencoded', 'a=b', true],
    ['application/octet-stream', 'abc', true],
  ])('passes a body of %s as text or base64 as the HTTP API does', async (contentType, text, isBase64Encoded) => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'Content-Type': contentType },
      body: text,
    });

    expect(events[0]?.isBase64Encoded).toBe(isBase64Encoded);
    expect(events[0]?.body).toBe(isBase64Encoded ? Buffer.from(text).toString('base64') : text);
  });

  it('passes text that is not UTF-8, and a body without a type, in base64', async () => {
    const { gateway, events } = await openGateway();
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    await fetch(`${gateway.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: bytes,
    });
    await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', body: bytes });

    expect(events.map(({ body, isBase64Encoded }) => [body, isBase64Encoded])).toEqual([
      [bytes.toString('base64'), true],
      [bytes.toString('base64'), true],
    ]);
  });

  it('takes a chunked body and a client that expects 100-continue', async () => {
    const { gateway, events } = await openGateway();
    const status = await new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'text/plain', Expect: '100-continue', 'Transfer-Encoding': 'chunked' };
      const request = httpRequest(`${gateway.url}/oauth2/token`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.on('continue', () => request.end('go on'));
      request.flushHeaders();
    });

    expect(status).toBe(204);
    expect(events[0]?.body).toBe('go on');
  });
});
