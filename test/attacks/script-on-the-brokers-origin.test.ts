import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyHarness, startProxyHarness } from '../functions/proxy/proxy-harness.ts';
import { send } from '../local/demo/demo-client.ts';

// The attacker writes something that the upstream answers, such as a ticket or an attachment, or has a developer open a
// page. It wants script on the broker's origin, and there the tokens; or the token in the answer itself.
let broker: ProxyHarness;
beforeAll(async () => {
  broker = await startProxyHarness();
});
afterAll(() => broker.close());

const call = (options: Parameters<typeof send>[1] = {}, path = 'open/x') =>
  send(broker.url, { ...options, path: `/proxy/scripted/system/${path}` });

/** Percent-encodes with lowercase digits. */
const percent = (text: string) => encodeURIComponent(text).replace(/%../g, (escaped) => escaped.toLowerCase());

describe('an answer of the upstream', () => {
  it('cannot run script on the broker’s origin, whatever its headers say', async () => {
    broker.scripted.answer((_request, _body, response) => {
      response.writeHead(200, {
        'content-type': 'text/html',
        'content-security-policy': "script-src 'unsafe-inline'",
        'cross-origin-resource-policy': 'cross-origin',
        'service-worker-allowed': '/',
        'clear-site-data': '"*"',
        refresh: '0; url=/docs',
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'strict-transport-security': 'max-age=99999999',
        'report-to': '{}',
        'alt-svc': 'h3=":443"',
        'set-login': 'logged-in',
        'speculation-rules': '"/rules.json"',
        'shared-storage-write': 'clear',
        'timing-allow-origin': '*',
        'use-as-dictionary': 'match="/*"',
        'attribution-reporting-register-source': '{}',
        'secure-session-registration': '(ES256)',
      });
      response.end('<script>fetch("/tokens/scripted/system")</script>');
    });
    const { headers } = await call();

    expect(headers['content-security-policy']).toBe("script-src 'unsafe-inline', sandbox; frame-ancestors 'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    for (const name of Object.keys(headers)) {
      expect(name).not.toMatch(
        /^(?:service-worker-allowed|clear-site-data|refresh|access-control-.*|strict-.*|report-to|alt-svc|set-login|speculation-.*|shared-.*|timing-.*|use-as-.*|attribution-.*|secure-.*)$/,
      );
    }
  });

  it.each([
    ['its body', (token: string) => ({ body: `{"yourToken":"${token}"}`, headers: {} })],
    ['a header', (token: string) => ({ body: '{}', headers: { 'x-echo': `Bearer ${token}` } })],
    ['a URL', (token: string) => ({ body: `/next?t=${encodeURIComponent(token)}`, headers: {} })],
    ['a URL in a header', (token: string) => ({ body: '', headers: { link: `</x?t=${percent(token)}>; rel=next` } })],
    ['JSON as PHP writes it', (token: string) => ({ body: `{"t":"${token.replace('/', '\\/')}"}`, headers: {} })],
    ['JSON as .NET writes it', (token: string) => ({ body: `{"t":"${token.replace('+', '\\u002B')}"}`, headers: {} })],
    ['HTML', (token: string) => ({ body: token.replace('+', '&#43;').replaceAll('=', '&#x3D;'), headers: {} })],
  ])('that repeats the token in %s is withheld', async (_, echo) => {
    let placed = '';
    broker.scripted.answer((request, _body, response) => {
      placed = String(request.headers.authorization).replace('Bearer ', '');
      const { body, headers } = echo(placed);
      response.writeHead(200, headers).end(body);
    });
    const { status, json, text, rawHeaders } = await call();

    expect(status).toBe(502);
    expect(json).toMatchObject({ code: 'upstream_invalid_response' });
    expect(placed).toMatch(/^scripted\+token\/\d+==$/);
    expect(text + rawHeaders.join()).not.toMatch(/scripted/);
  });

  it('that leads elsewhere under the base URL leads through the proxy, and others are left', async () => {
    const leads = async (location: string) => {
      broker.scripted.answer((_request, _body, response) => response.writeHead(201, { location }).end());
      return (await call({ method: 'POST' })).headers.location;
    };
    expect(await leads(`${broker.scripted.url}/base/jobs/7?a=1#b`)).toBe('/proxy/scripted/system/jobs/7?a=1#b');
    expect(await leads('/base/jobs/7')).toBe('/proxy/scripted/system/jobs/7');
    expect(await leads('y')).toBe('/proxy/scripted/system/open/y');
    expect(await leads('/elsewhere')).toBe('/elsewhere');
    expect(await leads('https://other.example/base/x')).toBe('https://other.example/base/x');
  });

  it('with a status that is none, or too large with its headers, is a 502 with the broker’s mark', async () => {
    broker.scripted.answer((_request, _body, response) => {
      response.socket?.end('HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n');
    });
    const odd = await call();
    expect([odd.status, odd.headers['token-broker-error']]).toEqual([502, 'upstream_invalid_response']);

    broker.scripted.answer((_request, _body, response) => response.end(Buffer.alloc(4_718_592, 1)));
    const large = await call();
    expect([large.status, large.headers['token-broker-error']]).toEqual([502, 'upstream_response_too_large']);
  });

  it('to a HEAD has the length that the upstream says, by API Gateway’s name for it, and one content type', async () => {
    broker.scripted.answer((_request, _body, response) => {
      response.setHeader('content-length', '12345');
      response.appendHeader('content-type', 'text/plain');
      response.appendHeader('content-type', 'text/html');
      response.end();
    });
    const { headers } = await call({ method: 'HEAD' });
    expect(headers).toMatchObject({ 'x-amzn-remapped-content-length': '12345', 'content-type': 'text/plain' });
  });
});

describe('a path that a server may read as another', () => {
  it.each([
    'open/..%20/x',
    'open/%EF%BC%8E%EF%BC%8E/x',
    'open/%E2%80%A5/x',
    'open/.%20./x',
    'open/a%EF%BC%8Fb',
    'open/a%EF%BC%85b',
  ])('%s is refused', async (path) => {
    broker.scripted.received.length = 0;
    expect((await call({}, path)).json).toMatchObject({ code: 'invalid_request' });
    expect(broker.scripted.received).toEqual([]);
  });
});

describe('a request that another site has a browser make', () => {
  const paths = ['/tokens/scripted/system', '/proxy/scripted/system/open/x', '/', '/docs', '/connections'];

  it.each(paths)('%s is refused, image, frame, link and script alike', async (path) => {
    broker.scripted.received.length = 0;
    for (const site of ['cross-site', 'same-site', 'odd']) {
      const { status, json } = await send(`${broker.url}${path}`, { headers: { 'sec-fetch-site': site } });
      expect([status, json?.['code']]).toEqual([403, 'invalid_request']);
    }
    const worker = { 'sec-fetch-site': 'same-origin', 'service-worker': 'script' };
    expect((await send(`${broker.url}${path}`, { headers: worker })).status).toBe(403);
    expect(broker.scripted.received).toEqual([]);
  });

  it.each(paths)(
    '%s is answered to the page of the broker itself and to its user, and may not be framed',
    async (path) => {
      broker.scripted.answer((_request, _body, response) => response.end('ok'));
      for (const site of ['same-origin', 'none', undefined]) {
        const { status, headers } = await send(`${broker.url}${path}`, {
          headers: site === undefined ? {} : { 'sec-fetch-site': site },
        });
        expect(status).toBe(200);
        expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
        expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      }
    },
  );

  it('by a name of its own for this machine is refused (DNS rebinding)', async () => {
    for (const host of ['evil.example', `evil.example:${new URL(broker.url).port}`, '127.0.0.1', '0.0.0.0']) {
      expect((await send(`${broker.url}/connections`, { headers: { host } })).status).toBe(403);
    }
  });
});
