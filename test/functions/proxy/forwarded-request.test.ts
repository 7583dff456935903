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
  const given = new URLSearchParams(query);
  const event = {
    body: body.toString('base64'),
    isBase64Encoded: true,
    httpMethod: 'POST',
    headers: {},
    multiValueHeaders: { Accept: ['text/a', 'text/b'], accept: ['text/c'] },
    multiValueQueryStringParameters: Object.fromEntries(given.keys().map((name) => [name, given.getAll(name)])),
  };
  // The event has only the members that are read.
  const call = { event: event as unknown as ApiEvent, parameters: { path: 'a%20b' } };
  return buildForwardedRequest(call, connection, helpdesk.proxy);
}

describe('the body of a proxied call', () => {
  it('may have 4.5 MB', () => {
    expect(forwarded({ body: Buffer.alloc(4_500_000, 1) }).body).toHaveLength(4_500_000);
  });

  it('is refused with 413 above', () => {
    expect(() => forwarded({ body: Buffer.alloc(4_500_001) })).toThrow(
      expect.objectContaining({ code: 'payload_too_large', status: 413 }),
    );
  });
});

it('has the method, and the path as it is sent', () => {
  expect(forwarded({})).toMatchObject({ method: 'POST', path: '/a%20b' });
});

it('has every value of a header, whatever the case of its names', () => {
  expect(forwarded({}).headers).toEqual({ accept: 'text/a, text/b, text/c' });
});

describe('the query of a proxied call', () => {
  it.each([
    ['', ''],
    ['sort=a%20b&sort=c', 'sort=a%20b&sort=c'],
    ['b=2&a=1&b=1', 'a=1&b=2&b=1'],
    ['10=x&9=y', '10=x&9=y'],
    ['flag&&c=&d=x=y', 'c=&d=x%3Dy&flag='],
    ['a=b+c&d=%2B', 'a=b%20c&d=%2B'],
    ["q=a'(b)*!~$;", 'q=a%27%28b%29%2A%21~%24%3B'],
    ['q=%C3%A4', 'q=%C3%A4'],
    ['x-amz-meta=1&amz=2', 'amz=2&x-amz-meta=1'],
  ])('is put together again from what API Gateway made of it: %j', (query, sent) => {
    expect(forwarded({ query }).query).toBe(sent);
  });

  it.each(['q=%E4', '%ff=1', 'q=%EF%BF%BD'])('is refused where bytes of it were lost: %j', (query) => {
    expect(() => forwarded({ query })).toThrow(expect.objectContaining({ code: 'invalid_request', status: 400 }));
  });

  it.each([
    'Session=own',
    'a=1&session=own',
    'session',
    'SESSION=own',
    's%65ssion=own',
    'session[]=own',
    'session%5B0%5D=own',
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
    expect(() => forwarded({ query })).not.toThrow();
    const others = 'a=session&my-session=2&q=site&sessions=1';
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
