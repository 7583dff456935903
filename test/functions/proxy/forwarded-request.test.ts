import { describe, expect, it } from 'vitest';
import type { ApiEvent } from '../../../functions/api/request.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { BEARER, type Provider } from '../../../functions/providers/provider.ts';
import { buildForwardedRequest } from '../../../functions/proxy/forwarded-request.ts';

const proxy = { methods: ['POST'], paths: ['/'] };
const { connections } = resolveConnections({
  connections: { helpdesk: { provider: 'helpmaster', baseUrl: 'https://upstream.example', proxy } },
});

function forwarded({ body = Buffer.from(''), query = '', placement = { headers: BEARER } as Provider['placement'] }) {
  const helpdesk = connections['helpdesk'];
  if (helpdesk?.proxy === undefined) throw new Error('the connection has a proxy');
  const connection = { ...helpdesk, provider: { ...helpdesk.provider, placement } };
  const event = {
    body: body.toString('base64'),
    isBase64Encoded: true,
    headers: {},
    pathParameters: { path: 'a b' },
    rawQueryString: query,
    requestContext: { http: { method: 'POST' } },
  };
  // The event has only the members that are read.
  return buildForwardedRequest(event as unknown as ApiEvent, connection, helpdesk.proxy);
}

describe('the body of a proxied call', () => {
  it('may have 6 MB', () => {
    expect(forwarded({ body: Buffer.alloc(6 * 1024 * 1024, 1) }).body).toHaveLength(6 * 1024 * 1024);
  });

  it('is refused with 413 above', () => {
    expect(() => forwarded({ body: Buffer.alloc(6 * 1024 * 1024 + 1) })).toThrow(
      expect.objectContaining({ code: 'payload_too_large', status: 413 }),
    );
  });
});

it('has the method, and the path as it is sent', () => {
  expect(forwarded({})).toMatchObject({ method: 'POST', path: '/a%20b' });
});

describe('the query of a proxied call', () => {
  it.each([
    ['', ''],
    ['sort=a%20b&sort=c', 'sort=a%20b&sort=c'],
    ['a&&b=&=c&d=x=y', 'a&&b=&=c&d=x=y'],
    ['x-amz-meta=1&amz=2&%=3', 'x-amz-meta=1&amz=2&%=3'],
  ])('goes as it came: %j', (query, sent) => {
    expect(forwarded({ query }).query).toBe(sent);
  });

  it.each([
    'Session=own',
    'a=1&session=own',
    'session',
    'SESSION=own',
    's%65ssion=own',
    'session[]=own',
    'session%5B0%5D=own',
    'a=1;session=own',
    '+session=own',
    'site=b',
    // PHP makes an underscore of these, and ends a name at a zero byte.
    'api.key=own',
    'api+key=own',
    'api%20key=own',
    'api%5Bkey=own',
    'session%00x=own',
  ])('is refused where it has a parameter that the broker places: %j', (query) => {
    const placement = { headers: BEARER, query: { Session: '{token}', site: '{site}', api_key: '{key}' } };
    expect(() => forwarded({ query, placement })).toThrow(
      expect.objectContaining({ code: 'invalid_request', status: 400 }),
    );
    expect(forwarded({ query }).query).toBe(query);
    const others = 'sessions=1&my-session=2&a=session&q=site';
    expect(forwarded({ query: others, placement }).query).toBe(others);
  });

  it('goes without the signature of the call to the broker, however its names are written', () => {
    const signature = [
      'X-Amz-Algorithm=AWS4-HMAC-SHA256',
      'X-Amz-Credential=AKIA%2F20261122%2Feu-west-1%2Fexecute-api%2Faws4_request',
      'x-amz-date=20261122T000000Z',
      'X-AMZ-EXPIRES=60',
      'X-Amz-SignedHeaders=host',
      'X-Amz-Security-Token=session',
      'X%2DAmz%2dSignature=00ff',
      'X-Amz-Signature',
    ];
    expect(forwarded({ query: signature.join('&') }).query).toBe('');
    expect(forwarded({ query: ['sort=b', ...signature, 'sort=a'].join('&') }).query).toBe('sort=b&sort=a');
  });
});
