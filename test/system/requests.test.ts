import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Received, send } from '../local/demo/demo-client.ts';
import { sendRaw } from '../local/gateway/gateway-harness.ts';
import { type BrokerProcess, startBroker } from './broker-process.ts';

const HASH = 'a'.repeat(64);
const JSON_TYPE = { 'content-type': 'application/json' };

/** Counts the logins that both demo upstreams have seen. */
async function loginsSeen({ demo }: BrokerProcess): Promise<number> {
  const ledgers = await Promise.all([demo.helpmaster, demo.community].map((url) => send(`${url}/__demo/ledger`)));
  return ledgers.reduce((sum, { json }) => sum + (Array.isArray(json?.['logins']) ? json['logins'].length : 0), 0);
}

describe('requests that the broker must survive', () => {
  let broker: BrokerProcess;
  const ask = (path: string, options: Parameters<typeof send>[1] = {}) => send(broker.url, { path, ...options });

  beforeAll(async () => {
    broker = await startBroker();
  });
  afterEach(async () => {
    expect(await loginsSeen(broker)).toBe(0);
  });
  afterAll(async () => {
    expect(await send(`${broker.url}/tokens/helpdesk/88`)).toMatchObject({ status: 200 });
    await broker.stop();
  });

  it.each([
    ['GET', '/nowhere', 404, 'not_found'],
    ['GET', '/tokens', 404, 'not_found'],
    ['GET', '/tokens/helpdesk', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/88/', 404, 'not_found'],
    ['GET', '//tokens/helpdesk/88', 404, 'not_found'],
    ['GET', '/tokens//88', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/../helpdesk/88', 404, 'not_found'],
    ['GET', '/TOKENS/helpdesk/88', 404, 'not_found'],
    ['GET', '/connections/', 404, 'not_found'],
    ['GET', '/tokens/helpdesk%2f88', 404, 'not_found'],
    ['GET', '/tokens/helpdesk/8%2f8', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/88%00', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/88%0d%0aX-Injected:1', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/..', 400, 'invalid_subject'],
    ['GET', '/tokens/../88', 404, 'unknown_connection'],
    ['GET', '/tokens/__proto__/88', 404, 'unknown_connection'],
    ['GET', '/tokens/constructor/88', 404, 'unknown_connection'],
    ['GET', '/connections/__proto__', 404, 'unknown_connection'],
    ['GET', '/tokens/helpdesk/088', 400, 'invalid_subject'],
    ['GET', '/tokens/helpdesk/2147483648', 400, 'invalid_subject'],
    ['GET', '/tokens/wfm/88', 400, 'subject_not_supported'],
    ['GET', '/tokens/helpdesk/88?min_ttl=60&min_ttl=60', 400, 'invalid_request'],
    ['GET', '/tokens/helpdesk/88?min_ttl=%0d%0a', 400, 'invalid_request'],
    ['PUT', '/tokens/helpdesk/88', 405, 'method_not_allowed'],
    ['PATCH', '/connections/helpdesk', 405, 'method_not_allowed'],
    ['DELETE', '/connections', 405, 'method_not_allowed'],
    ['DELETE', '/tokens/helpdesk/root', 400, 'invalid_subject'],
  ])('%s %s: %i %s', async (method, path, status, code) => {
    const answer = await ask(path, { method });
    expect(answer.json).toMatchObject({ status, code, type: `urn:token-broker:error:${code}` });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(answer.headers['x-injected']).toBeUndefined();
  });

  it('refuses a body over 8 KB with 413, and one over 10 MB as the HTTP API does', async () => {
    const path = '/tokens/helpdesk/88';
    const post = (length: number) => ask(path, { method: 'POST', headers: JSON_TYPE, body: 'x'.repeat(length) });
    expect((await post(8_193)).json).toMatchObject({ code: 'payload_too_large', status: 413 });
    expect((await post(1024 * 1024)).json).toMatchObject({ code: 'payload_too_large', status: 413 });
    expect(await post(10 * 1024 * 1024 + 1)).toMatchObject({ status: 413, json: { message: expect.any(String) } });
  });

  it('refuses headers over 10 KB with 431', async () => {
    const answer = await ask('/tokens/helpdesk/88', { headers: { 'x-large': 'x'.repeat(10_240) } });
    expect(answer).toMatchObject({ status: 431, json: { message: expect.any(String) } });
  });

  it('answers bytes that are no HTTP, and goes on', async () => {
    const port = Number(new URL(broker.url).port);
    expect(await sendRaw(port, '\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, `GET /tokens/helpdesk/8\u0001 HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  it.each([
    ['a name that was pointed at 127.0.0.1', { host: 'attacker.example' }],
    ['another port', { host: '127.0.0.1:1' }],
    ['a page of the open web', { origin: 'https://attacker.example' }],
    ['a sandboxed page', { origin: 'null' }],
  ])('refuses %s with 403', async (_what, headers) => {
    expect(await ask('/tokens/helpdesk/88', { headers })).toMatchObject({
      status: 403,
      json: { message: 'Forbidden' },
    });
  });

  it('refuses a report that is no hash', async () => {
    const path = '/tokens/helpdesk/88';
    for (const body of ['', '{', '[]', 'null', `{"rejected":"${HASH.toUpperCase()}"}`, `{"__proto__":{}}`]) {
      const answer = await ask(path, { method: 'POST', headers: JSON_TYPE, body });
      expect(answer.json).toMatchObject({ code: 'invalid_request' });
    }
    expect((await ask(path, { method: 'POST', body: `{"rejected":"${HASH}"}` })).status).toBe(415);
  });
});

describe('--require-sigv4', () => {
  let broker: BrokerProcess;
  let logins = 0;

  beforeAll(async () => {
    broker = await startBroker(['--require-sigv4']);
  });
  afterAll(() => broker.stop());

  /** Signs as the SDK does, then sends; `sent` is what is sent in place of what was signed. */
  async function signed(
    path: string,
    {
      method = 'GET',
      query = {},
      body,
      sent,
      at = Date.now(),
      key = 'local',
      region = 'us-east-1',
    }: {
      readonly method?: string;
      readonly query?: Record<string, string>;
      readonly body?: string;
      readonly sent?: string;
      readonly at?: number;
      readonly key?: string;
      readonly region?: string;
    } = {},
  ): Promise<Received> {
    const signer = new SignatureV4({
      service: 'execute-api',
      region,
      credentials: { accessKeyId: 'local', secretAccessKey: key },
      sha256: Sha256,
    });
    const { host } = new URL(broker.url);
    const headers = { host, ...(body === undefined ? {} : JSON_TYPE) };
    const request = new HttpRequest({ method, path, query, headers, body });
    const { headers: own } = await signer.sign(request, { signingDate: new Date(at) });
    const search = new URLSearchParams(query).toString();
    const content = sent ?? body;
    return send(`${broker.url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: own,
      ...(content === undefined ? {} : { body: content }),
    });
  }

  it('hands out to what is signed', async () => {
    expect(await signed('/tokens/helpdesk/88')).toMatchObject({ status: 200, json: { source: 'login' } });
    expect(await signed('/tokens/helpdesk/88', { query: { min_ttl: '300' } })).toMatchObject({ status: 200 });
    const report = await signed('/tokens/helpdesk/88', { method: 'POST', body: JSON.stringify({ rejected: HASH }) });
    expect(report).toMatchObject({ status: 200, json: { source: 'cache' } });
    expect(await signed('/connections')).toMatchObject({ status: 200 });
    logins = await loginsSeen(broker);
    expect(logins).toBe(1);
  });

  it.each<readonly [string, () => Promise<Received>]>([
    ['is not signed', () => send(`${broker.url}/tokens/helpdesk/42`)],
    ['is signed with another key', () => signed('/tokens/helpdesk/42', { key: 'other' })],
    ['is signed for another region', () => signed('/tokens/helpdesk/42', { region: 'eu-west-1' })],
    ['is six minutes old', () => signed('/tokens/helpdesk/42', { at: Date.now() - 6 * 60_000 })],
    [
      'has another body than was signed',
      () => signed('/tokens/helpdesk/42', { method: 'POST', body: '{}', sent: JSON.stringify({ rejected: HASH }) }),
    ],
    ['asks for the status unsigned', () => send(`${broker.url}/connections/helpdesk`)],
    ['goes nowhere', () => send(`${broker.url}/nowhere`)],
  ])('invariant 13: refuses what %s with 403, and nothing is behind it', async (_what, request) => {
    expect(await request()).toMatchObject({ status: 403, json: { message: 'Forbidden' } });
    expect(await loginsSeen(broker)).toBe(logins);
  });
});
