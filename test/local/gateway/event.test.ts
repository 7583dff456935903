import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { CALLER, openGateway, sendRaw } from './gateway-harness.ts';

describe('the event', () => {
  it('is a complete payload 1.0 of the stage v1', async () => {
    const now = Date.UTC(2026, 10, 2, 3, 4, 5, 6);
    const { gateway, events } = await openGateway({ now: () => now });
    const response = await fetch(`${gateway.url}/v1/tokens/help%20desk/88?min_ttl=60&a=1&a=2&b=x+y&flag`, {
      headers: { 'User-Agent': 'tests', 'X-Thing': 'Value' },
    });

    expect(events).toEqual([
      {
        resource: '/tokens/{connection}/{subject}',
        path: '/tokens/help%20desk/88',
        httpMethod: 'GET',
        headers: expect.objectContaining({ 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'http' }),
        multiValueHeaders: expect.objectContaining({
          'X-Forwarded-For': ['127.0.0.1'],
          'X-Forwarded-Port': [String(gateway.port)],
          'X-Forwarded-Proto': ['http'],
        }),
        queryStringParameters: { min_ttl: '60', a: '2', b: 'x y', flag: '' },
        multiValueQueryStringParameters: { min_ttl: ['60'], a: ['1', '2'], b: ['x y'], flag: [''] },
        pathParameters: { connection: 'help%20desk', subject: '88' },
        stageVariables: null,
        requestContext: {
          accountId: '000000000000',
          apiId: 'local',
          authorizer: undefined,
          domainName: '127.0.0.1',
          domainPrefix: '127',
          extendedRequestId: response.headers.get('x-amzn-requestid'),
          httpMethod: 'GET',
          identity: {
            accessKey: 'local',
            accountId: '000000000000',
            apiKey: null,
            apiKeyId: null,
            caller: 'local',
            clientCert: null,
            cognitoAuthenticationProvider: null,
            cognitoAuthenticationType: null,
            cognitoIdentityId: null,
            cognitoIdentityPoolId: null,
            principalOrgId: null,
            sourceIp: '127.0.0.1',
            user: 'local',
            userAgent: 'tests',
            userArn: CALLER,
          },
          path: '/v1/tokens/help%20desk/88',
          protocol: 'HTTP/1.1',
          requestId: response.headers.get('x-amzn-requestid'),
          requestTime: '02/Nov/2026:03:04:05 +0000',
          requestTimeEpoch: now,
          resourceId: 'local',
          resourcePath: '/tokens/{connection}/{subject}',
          stage: 'v1',
        },
        body: null,
        isBase64Encoded: false,
      },
    ]);
  });

  it('is the same without the stage, but for the path that was sent', async () => {
    const { gateway, events } = await openGateway();
    for (const stage of ['', '/v1']) await fetch(`${gateway.url}${stage}/proxy/a/b/c%2Fd`);

    expect(events.map(({ path, pathParameters }) => [path, pathParameters])).toEqual([
      ['/proxy/a/b/c%2Fd', { connection: 'a', subject: 'b', path: 'c%2Fd' }],
      ['/proxy/a/b/c%2Fd', { connection: 'a', subject: 'b', path: 'c%2Fd' }],
    ]);
    expect(events.map(({ requestContext }) => requestContext.path)).toEqual([
      '/proxy/a/b/c%2Fd',
      '/v1/proxy/a/b/c%2Fd',
    ]);
  });

  it('names no caller on a route without IAM, whatever the client sends', async () => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', headers: { Authorization: 'AWS4-HMAC-SHA256 x' } });

    const { userArn, accountId, caller, accessKey } = events[0]?.requestContext.identity ?? {};
    expect([userArn, accountId, caller, accessKey]).toEqual([null, null, null, null]);
  });

  it('keeps the case of header names and every value of one, and hop-by-hop headers back', async () => {
    const { gateway, events } = await openGateway();
    await sendRaw(
      gateway.port,
      `GET /tokens/a/b HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nX-A: 1\r\nx-a: 2\r\n` +
        'Cookie: c=1; d=2\r\n__proto__: odd\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: close\r\n\r\n',
    );

    const event = events[0];
    expect(Object.entries(event?.multiValueHeaders ?? {})).toEqual(
      expect.arrayContaining([
        ['X-A', ['1', '2']],
        ['Cookie', ['c=1; d=2']],
        ['__proto__', ['odd']],
        ['X-Forwarded-For', ['10.0.0.1, 127.0.0.1']],
      ]),
    );
    expect(event?.headers['X-A']).toBe('2');
    expect(Object.keys(event?.headers ?? {})).not.toEqual(expect.arrayContaining(['Connection']));
  });

  it('keeps a question mark that a name in the query begins with', async () => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/tokens/a/b??a=1`);
    expect(events[0]?.queryStringParameters).toEqual({ '?a': '1' });
  });

  it('keeps __proto__ in the query a parameter like any other', async () => {
    const { gateway, events } = await openGateway();
    await fetch(`${gateway.url}/tokens/a/b?__proto__=x&%zz=1`);

    expect(Object.entries(events[0]?.multiValueQueryStringParameters ?? {})).toEqual([
      ['__proto__', ['x']],
      ['%zz', ['1']],
    ]);
  });

  it.each([
    ['application/json', Buffer.from('{"a":"é"}')],
    ['application/x-www-form-urlencoded', Buffer.from('a=b')],
    ['text/plain', Buffer.from([0xff, 0xfe, 0x00])],
    [undefined, Buffer.from('no type')],
  ])('passes a body of %s in base64, as every other', async (contentType, bytes) => {
    const { gateway, events } = await openGateway();
    const headers = contentType === undefined ? {} : { 'Content-Type': contentType };
    await fetch(`${gateway.url}/oauth2/token`, { method: 'POST', headers, body: bytes });

    expect(events.map(({ body, isBase64Encoded }) => [body, isBase64Encoded])).toEqual([
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
    expect(events[0]?.body).toBe(Buffer.from('go on').toString('base64'));
  });
});
