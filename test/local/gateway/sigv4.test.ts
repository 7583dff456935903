import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openGateway, sendRaw, startEchoGateway } from './gateway-harness.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const MINUTE_MS = 60_000;
const PATH = '/tokens/a/b';
const LOCAL = { accessKeyId: 'local', secretAccessKey: 'local' };

interface Signing {
  readonly method?: string;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly time?: number;
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly region?: string;
  readonly service?: string;
  readonly applyChecksum?: boolean;
}

/** The headers that the SDK's signer makes for a request to the gateway. */
async function sign(path = PATH, signing: Signing = {}): Promise<Record<string, string>> {
  const { method = 'GET', query = {}, headers = {}, body, time = NOW } = signing;
  const request = new HttpRequest({ method, path, query, headers: { host: `127.0.0.1:${port}`, ...headers }, body });
  return (await signerOf(signing).sign(request, { signingDate: new Date(time) })).headers;
}

function signerOf({
  service = 'execute-api',
  region = 'us-east-1',
  credentials = LOCAL,
  applyChecksum = true,
}: Signing) {
  return new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum });
}

/** Sends exactly this target and these headers: no client in between that could tidy them up. */
async function send(target: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<number> {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  if (body !== '') lines.push(`content-length: ${Buffer.byteLength(body)}`);
  const answer = await sendRaw(port, `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  expect(answer).toMatch(/^HTTP\/1.1 (204|403) /);
  if (answer.startsWith('HTTP/1.1 403')) expect(answer).toMatch(/"code":"(?:forbidden|signature_invalid)"/);
  return Number(answer.slice(9, 12));
}

const { gateway, events } = await startEchoGateway({ requireSigv4: true, now: () => NOW });
const { port, url } = gateway;
afterAll(() => gateway.close());
beforeEach(() => {
  events.length = 0;
});

describe('requireSigv4 lets pass', () => {
  it('a signed GET, and gives it its caller', async () => {
    expect(await send(PATH, await sign())).toBe(204);
    expect(events[0]?.requestContext.identity.userArn).toBe('arn:aws:iam::000000000000:user/local');
  });

  it.each([true, false])('a signed body, with x-amz-content-sha256: %s', async (applyChecksum) => {
    const body = '{"rejected":"é"}';
    const headers = await sign(PATH, { method: 'POST', body, applyChecksum });

    expect('x-amz-content-sha256' in headers).toBe(applyChecksum);
    expect(await send(PATH, headers, 'POST', body)).toBe(204);
  });

  it.each([
    '/v1/tokens/a/b',
    '/tokens/a%2Fb/c',
    '/tokens/a%20b/c',
    '/proxy/a/b/x//y/',
    '/proxy/a/b/../c',
    '/proxy/a/b/%C3%A9~*',
  ])('the path %s', async (path) => {
    expect(await send(path, await sign(path))).toBe(204);
  });

  it('query parameters in any order, repeated, empty and encoded', async () => {
    const query = { b: ['2', '1'], a: 'x y', B: '', 'ä/&': '=+%', 'a-b': '~' };
    const headers = await sign(PATH, { query });

    for (const target of [
      'b=2&b=1&a=x%20y&B=&%C3%A4%2F%26=%3D%2B%25&a-b=~',
      '&a-b=%7E&B&a=x+y&b=1&%C3%A4%2f%26=%3d%2B%25&b=2',
    ]) {
      expect(await send(`/tokens/a/b?${target}`, headers), target).toBe(204);
    }
  });

  it('signed headers in any case, with spaces to fold, and unsigned ones beside them', async () => {
    const headers = await sign(PATH, { headers: { 'x-note': 'a  b ' } });
    const { 'x-note': _note, ...rest } = headers;

    expect(await send(PATH, { ...rest, 'X-NOTE': '   a b   ', 'x-other': 'unsigned' })).toBe(204);
  });

  it('a clock five minutes off either way', async () => {
    for (const time of [NOW - 5 * MINUTE_MS, NOW + 5 * MINUTE_MS]) {
      expect(await send(PATH, await sign(PATH, { time }))).toBe(204);
    }
  });

  it('routes without IAM unsigned', async () => {
    expect((await fetch(`${url}/oauth2/token`, { method: 'POST' })).status).toBe(204);
  });

  it('curl with --aws-sigv4', async () => {
    const { gateway, events } = await openGateway({ requireSigv4: true });
    const curl = (secret: string, ...rest: string[]) =>
      promisify(execFile)('curl', [
        ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '10', '--user', `local:${secret}`],
        ...['--aws-sigv4', 'aws:amz:us-east-1:execute-api', ...rest],
      ]);

    expect((await curl('local', `${gateway.url}/tokens/helpdesk/88?min_ttl=60`)).stdout).toBe('204');
    const report = ['-H', 'Content-Type: application/json', '-d', '{"rejected":"00"}'];
    expect((await curl('local', ...report, `${gateway.url}/tokens/helpdesk/88`)).stdout).toBe('204');
    expect((await curl('wrong', `${gateway.url}/tokens/helpdesk/88`)).stdout).toBe('403');
    expect(events).toHaveLength(2);
  });
});

describe('requireSigv4 refuses', () => {
  it('an unsigned request, and one with another scheme', async () => {
    const host = `127.0.0.1:${port}`;

    expect(await send(PATH, { host })).toBe(403);
    expect(await send(PATH, { host, authorization: 'Bearer x' })).toBe(403);
    expect(await send(PATH, { host, authorization: 'AWS4-HMAC-SHA256 Credential=local' })).toBe(403);
    expect(events).toEqual([]);
  });

  it.each<[string, Signing]>([
    ['another secret', { credentials: { accessKeyId: 'local', secretAccessKey: 'other' } }],
    ['another access key', { credentials: { accessKeyId: 'other', secretAccessKey: 'local' } }],
    ['a session token', { credentials: { accessKeyId: 'local', secretAccessKey: 'local', sessionToken: 't' } }],
    ['another region', { region: 'eu-west-1' }],
    ['another service', { service: 'lambda' }],
    ['a time too long ago', { time: NOW - 5 * MINUTE_MS - 1_000 }],
    ['a time too far ahead', { time: NOW + 5 * MINUTE_MS + 1_000 }],
    ['another method', { method: 'DELETE' }],
    ['another query', { query: { min_ttl: '1' } }],
    ['another body', { body: 'x' }],
    ['an unsigned payload', { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
    ['a signed header that says something else', { headers: { host: '127.0.0.1:1' } }],
  ])('%s', async (_what, signing) => {
    const headers = await sign(PATH, signing);

    expect(await send(PATH, { ...headers, host: `127.0.0.1:${port}` })).toBe(403);
    expect(events).toEqual([]);
  });

  it.each([
    '/tokens/a/c',
    '/tokens/a/b?x=1',
    '/tokens/a/b?X-Amz-Signature=0',
    '/tokens/a/b?%58-amz-signature=0',
    '/tokens/a/b?%zz',
  ])('a signature for /tokens/a/b on %s', async (target) => {
    expect(await send(target, await sign())).toBe(403);
  });

  it('an unsigned x-amz-content-sha256 that is not the body’s', async () => {
    const headers = await sign(PATH, { applyChecksum: false });

    expect(await send(PATH, { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).toBe(403);
  });

  it('a body exchanged under its hash', async () => {
    const headers = await sign(PATH, { method: 'POST', body: 'good' });

    expect(await send(PATH, headers, 'POST', 'evil')).toBe(403);
  });

  it.each<[string, (authorization: string) => string]>([
    ['a changed signature', (text) => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    ['a signature cut short', (text) => text.slice(0, -1)],
    [
      'a signature in capitals',
      (text) => text.replace(/Signature=.*/, (part) => `Signature=${part.slice(10).toUpperCase()}f`),
    ],
    ['a signed header that was not sent', (text) => text.replace('x-amz-date', 'x-amz-date;x-zzz')],
    ['host left out of the signed headers', (text) => text.replace('host;', '')],
    ['x-amz-date left out of the signed headers', (text) => text.replace(';x-amz-date', '')],
    ['signed headers out of order', (text) => text.replace('host;x-amz-content-sha256', 'x-amz-content-sha256;host')],
    ['a signed header named twice', (text) => text.replace('host;', 'host;host;')],
    ['a scope of another day', (text) => text.replace('20261122/', '20261121/')],
    ['a scope that ends otherwise', (text) => text.replace('aws4_request', 'aws5_request')],
    ['another algorithm', (text) => text.replace('HMAC-SHA256', 'HMAC-SHA1')],
    ['two authorizations', (text) => `${text}\r\nauthorization: ${text}`],
  ])('%s', async (_what, spoil) => {
    const headers = await sign();
    const authorization = headers['authorization'] ?? '';

    expect(spoil(authorization)).not.toBe(authorization);
    expect(await send(PATH, { ...headers, authorization: spoil(authorization) })).toBe(403);
    expect(events).toEqual([]);
  });

  it('what is signed well over a list of headers without host', async () => {
    const request = new HttpRequest({ method: 'GET', path: PATH, headers: {} });
    const withoutHost = await signerOf({ applyChecksum: false }).sign(request, { signingDate: new Date(NOW) });

    expect(withoutHost.headers['authorization']).toContain('SignedHeaders=x-amz-date,');
    expect(await send(PATH, { ...withoutHost.headers, host: `127.0.0.1:${port}` })).toBe(403);
  });

  it('a malformed, repeated or missing x-amz-date', async () => {
    const { 'x-amz-date': date = '', ...rest } = await sign();

    for (const value of ['', '2026-11-22', '20261322T120000Z', `${date}\r\nx-amz-date: ${date}`]) {
      expect(await send(PATH, { ...rest, 'x-amz-date': value })).toBe(403);
    }
    expect(await send(PATH, rest)).toBe(403);
  });

  it('a signature in the query string', async () => {
    const request = new HttpRequest({ method: 'GET', path: PATH, headers: { host: `127.0.0.1:${port}` } });
    const { query } = await signerOf({}).presign(request, { signingDate: new Date(NOW) });
    const target = `/tokens/a/b?${new URLSearchParams(query as Record<string, string>)}`; // The signer adds single values.

    expect(query).toHaveProperty('X-Amz-Signature');
    expect(await send(target, { host: `127.0.0.1:${port}` })).toBe(403);
  });
});
