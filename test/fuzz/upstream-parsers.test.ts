import { gzipSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMintReply } from '../../functions/adapters/aws/lambda-mint.ts';
import { loginsIn } from '../../functions/adapters/dynamodb/connection-items.ts';
import { type Item, recordIn, slotIn } from '../../functions/adapters/dynamodb/item.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import { isBrokerErrorCode } from '../../functions/core/words/errors.ts';
import { isJsonObject } from '../../functions/core/words/json.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { fetchIssuerKeys } from '../../functions/exchange/issuer-keys.ts';
import { createUpstreamHttp } from '../../functions/http/client.ts';
import type { Http, HttpResponse } from '../../functions/http/port.ts';
import { createForwarder } from '../../functions/providers/engine/forward.ts';
import { type RawServer, startRawServer } from '../functions/http/raw-server.ts';
import { answeredBy, connectionOf, secretOf } from '../functions/providers/provider-harness.ts';
import { settingsOf, timeoutOf } from './runs.ts';

const ON_THE_WIRE_RUNS = 150;
const IN_MEMORY_RUNS = 300;
const MOST_BYTES = 65_536;
const AT_ONCE_MS = 2_000;
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const USED = 'canary-token-4410-of-the-parsers';

const line = fc.oneof(
  fc.constantFrom('Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999999', 'Content-Length: 5, 6'),
  fc.constantFrom('Transfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked', 'Content-Encoding: gzip'),
  fc.constantFrom('Content-Encoding: br', 'Content-Encoding: deflate', 'Connection: upgrade', 'Connection: close'),
  fc.constantFrom(
    'Location: http://169.254.169.254/',
    'Date: never',
    'Retry-After: -5',
    'Set-Cookie: a=b',
    ': no name',
  ),
  fc.string({ maxLength: 30 }),
  fc.constant(`X-Long: ${'x'.repeat(20_000)}`),
);
const statusLine = fc.oneof(
  fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 204 No', 'HTTP/1.1 304 Same', 'HTTP/1.0 200 OK', 'HTTP/1.1 100 Go on'),
  fc.constantFrom('HTTP/2 200', 'HTTP/1.1 999 Odd', 'HTTP/1.1 20', 'ICY 200 OK', 'HTTP/1.1 200', ''),
  fc.string({ maxLength: 20 }),
);
const bodyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => gzipSync(text)),
  fc
    .constantFrom('5\r\nhello\r\n0\r\n\r\n', 'ffffffffff\r\n', '0\r\nX: y\r\n\r\n', '{"token":"a"}')
    .map((text) => Buffer.from(text)),
  fc.constantFrom(gzipSync(Buffer.alloc(2 << 20)), Buffer.alloc(200_000, 0x61)),
);
const wireAnswer = fc
  .record({
    start: statusLine,
    lines: fc.array(line, { maxLength: 5 }),
    body: bodyBytes,
    cut: fc.oneof(fc.constant(undefined), fc.nat({ max: 200 })),
    breaks: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
  })
  .map(({ start, lines, body, cut, breaks }) => {
    const head = Buffer.from(`${[start, ...lines].join(breaks)}${breaks}${breaks}`, 'latin1');
    return Buffer.concat([head, body]).subarray(0, cut);
  });

describe('any response of an upstream', () => {
  let server: RawServer;
  let answer: Buffer = Buffer.alloc(0);

  beforeAll(async () => {
    server = await startRawServer((socket, request) => {
      void request.then(() => socket.end(answer));
    });
  });
  afterAll(() => server.close());

  it(
    'is an answer within the cap or a failure that has a reason, after one request',
    async () => {
      const http = createUpstreamHttp();
      await fc.assert(
        fc.asyncProperty(wireAnswer, async (bytes) => {
          answer = bytes;
          const before = server.connections();
          const result = await http.send({
            method: 'POST',
            url: `http://127.0.0.1:${server.port}/login`,
            headers: { authorization: `Bearer ${USED}` },
            body: '{}',
            timeoutMs: AT_ONCE_MS,
          });
          expect(server.connections() - before).toBe(1);
          expect(JSON.stringify(result)).not.toContain(USED);
          if (result.kind === 'failure') {
            expect(['timeout', 'reset', 'too_large', 'protocol']).toContain(result.reason);
            expect(result.sent).toBe(true);
            return;
          }
          expect(result.body.length).toBeLessThanOrEqual(MOST_BYTES);
          expect(result.status).toBeGreaterThanOrEqual(100);
          expect(result.status).toBeLessThanOrEqual(999);
        }),
        settingsOf(ON_THE_WIRE_RUNS),
      );
    },
    timeoutOf(ON_THE_WIRE_RUNS),
  );
});

/** A network that gives one answer to everything, and counts. */
function answering(response: Omit<HttpResponse, 'kind'>): { readonly http: Http; sent(): number } {
  let count = 0;
  const http: Http = {
    send: async () => {
      count += 1;
      return { kind: 'response', ...response };
    },
  };
  return { http, sent: () => count };
}

const headerName = fc.constantFrom(
  'wfmsgapikey',
  'set-cookie',
  'connection',
  'date',
  'location',
  'x-own',
  'te',
  'trailer',
);
const headers = fc.dictionary(
  headerName,
  fc.array(fc.oneof(fc.string(), fc.constantFrom(USED, 'x-own, close', '', 'a\r\nb', 'new-token')), { maxLength: 3 }),
  { noNullPrototype: true },
);
const status = fc.oneof(fc.constantFrom(200, 204, 302, 401, 403, 500), fc.integer({ min: 100, max: 999 }));
const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
);

describe('any answer to a forwarded call', () => {
  const connection = connectionOf('community-web-api', 'https://upstream.example');

  it('keeps token and cookies here, and takes up one token that a header can carry', async () => {
    await fc.assert(
      fc.asyncProperty(status, headers, anyBody, async (code, given, body) => {
        const { http, sent } = answering({ status: code, headers: given, body });
        const forwarder = createForwarder({ http, clock: { now: () => 1_800_000_000_000 } });
        const outcome = await forwarder.forward({
          connection,
          subject: SYSTEM,
          token: new Secret(USED),
          values: {},
          closed: undefined,
          request: { method: 'GET', path: '/AgentLogonReport', query: '', headers: {} },
          timeoutMs: 1_000,
        });
        expect(sent()).toBe(1);
        if (outcome.kind !== 'answer') {
          const isRepeated = JSON.stringify(given).includes(USED) || body.includes(USED);
          expect(isRepeated || code < 200 || code > 599).toBe(true);
          return;
        }
        const { answer, slid } = outcome;
        expect(answer).toMatchObject({ status: code, body });
        expect(JSON.stringify(answer.headers)).not.toContain(USED);
        expect(body.includes(USED)).toBe(false);
        const names = Object.keys(answer.headers);
        for (const name of ['wfmsgapikey', 'set-cookie', 'connection', 'te', 'trailer'])
          expect(names).not.toContain(name);
        if (slid === undefined) return;
        expect(code).not.toBe(401);
        expect(slid.value.reveal()).toMatch(HEADER_SAFE);
        expect(slid.value.reveal()).not.toBe(USED);
        // Repeats may come folded into one line (RFC 9110 §5.3).
        const members = (given['wfmsgapikey'] ?? []).flatMap((line) => line.split(',').map((member) => member.trim()));
        expect(new Set(members)).toEqual(new Set([slid.value.reveal()]));
      }),
      settingsOf(IN_MEMORY_RUNS),
    );
  });
});

/** Attributes of an item that all have one value. */
function partsOf(value: AttributeValue, ...names: readonly string[]): Item {
  return Object.fromEntries(names.map((name) => [name, value]));
}

describe('any result from AWS', () => {
  it('a reply of `mint` is one of its outcomes with a known code, or none', () => {
    const member = fc.oneof(
      fc.constantFrom('published', 'failed', 'busy', 'login', 'cooldown', 'constructor', 7),
      fc.jsonValue(),
    );
    const anything = fc.dictionary(
      fc.constantFrom('outcome', 'generation', 'source', 'code', 'detail', 'retryAfterMs', '__proto__'),
      member,
      { noNullPrototype: true },
    );
    // Replies of `mint` with at most one member changed. Chance alone never makes them.
    const nearly = fc
      .tuple(
        fc.constantFrom(
          { outcome: 'published', generation: 7, source: 'login' },
          { outcome: 'failed', code: 'cooldown', detail: 'Wait.', retryAfterMs: 5 },
        ),
        fc.option(anything.map((members) => Object.fromEntries(Object.entries(members).slice(0, 1)))),
      )
      .map(([reply, change]) => ({ ...reply, ...change }));
    const met = new Set<string | undefined>();
    const payload = fc.oneof(
      fc.oneof(anything, nearly).map((value) => Buffer.from(JSON.stringify(value))),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(payload, (bytes) => {
        const read = parseMintReply(bytes);
        met.add(read?.outcome);
        if (read?.outcome === 'failed') expect(isBrokerErrorCode(read.code)).toBe(true);
        if (read?.outcome === 'published') expect(typeof read.generation).toBe('number');
      }),
      settingsOf(IN_MEMORY_RUNS),
    );
    expect([...met]).toEqual(expect.arrayContaining(['published', 'failed', undefined]));
  });

  it('an item is a record whose numbers are numbers, whatever was written into it', () => {
    const value: fc.Arbitrary<AttributeValue> = fc.oneof(
      fc.oneof(fc.string(), fc.constantFrom('1', '-1', '1e400', 'NaN', '')).map((N) => ({ N })),
      fc.string().map((S) => ({ S })),
      fc.uint8Array({ maxLength: 30 }).map((B) => ({ B })),
      fc.boolean().map((BOOL) => ({ BOOL })),
      fc.array(fc.string()).map((SS) => ({ SS })),
      fc.constant({ NULL: true } as const),
    );
    const names = ['pk', 'sk', 'gen', 'ct', 'dk', 'issuedAt', 'usableUntil', 'refreshAt', 'sessionStartedAt', 'sv'];
    const more = ['tokenHash', 'pubId', 'leaseId', 'leaseUntil', 'begunBy', 'notBefore', 'tries', 'failCode', 'slots'];
    const anything = fc.dictionary(fc.constantFrom(...names, ...more), value, { noNullPrototype: true });
    // Tokens with at most one part spoiled. Chance alone never makes them.
    const nearly = fc.option(anything, { freq: 2 }).map((spoiled) => ({
      ...partsOf({ N: '1800000000000' }, 'gen', 'issuedAt', 'usableUntil', 'refreshAt', 'sessionStartedAt'),
      ...partsOf({ S: 'a' }, 'sv', 'pubId', 'tokenHash'),
      ...partsOf({ B: Uint8Array.of(1) }, 'ct', 'dk'),
      ...Object.fromEntries(Object.entries(spoiled ?? {}).slice(0, 1)),
    }));
    let tokens = 0;
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (item: Item) => {
        const record = recordIn(item);
        const { token, generation, fence, tries, notBefore } = record;
        for (const number of [generation, fence, tries, notBefore]) expect(Number.isFinite(number)).toBe(true);
        if (token !== undefined) {
          tokens += 1;
          for (const time of [token.issuedAt, token.usableUntil, token.refreshAt])
            expect(Number.isFinite(time)).toBe(true);
        }
        slotIn(item);
        loginsIn(item);
      }),
      settingsOf(IN_MEMORY_RUNS),
    );
    expect(tokens).toBeGreaterThan(0);
  });
});

describe('any document of an issuer', () => {
  it('is a key set of objects or nothing, after two requests at the most', async () => {
    // Documents of the right issuer that are also key sets. Chance alone never makes them.
    const document = fc.record({
      issuer: fc.constantFrom('https://issuer.example', 'https://issuer.example', 'https://other.example'),
      jwks_uri: fc.constantFrom('https://issuer.example/keys', 'http://issuer.example/keys'),
      keys: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    });
    const published = fc.oneof(
      document.map((value) => Buffer.from(JSON.stringify(value))),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .dictionary(
          fc.constantFrom('issuer', 'jwks_uri', 'keys'),
          fc.oneof(fc.jsonValue(), fc.constantFrom('https://issuer.example')),
          {
            noNullPrototype: true,
          },
        )
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(status, fc.constant(200)), published, async (code, body) => {
        const { http, sent } = answering({ status: code, headers: {}, body });
        const keys = await fetchIssuerKeys(http, { issuer: 'https://issuer.example' });
        expect(sent()).toBeLessThanOrEqual(2);
        found += keys?.keys.length ?? 0;
        for (const key of keys?.keys ?? []) expect(isJsonObject(key)).toBe(true);
      }),
      settingsOf(IN_MEMORY_RUNS),
    );
    expect(found).toBeGreaterThan(0);
  });
});

describe('the largest answer', () => {
  it.each<readonly [string, string]>([
    ['nested arrays', '['.repeat(MOST_BYTES)],
    ['nested objects', '{"a":'.repeat(13_000)],
    ['a long message', JSON.stringify({ success: false, failMessage: 'a b'.repeat(20_000) })],
    ['a message of line breaks', JSON.stringify({ success: false, failMessage: '\r\n\t '.repeat(8_000) })],
    ['a message of almost a credential', JSON.stringify({ success: false, failMessage: 'canary-ke'.repeat(7_000) })],
    ['a token of dots', JSON.stringify({ token: '.'.repeat(60_000) })],
    ['a token of spaces', JSON.stringify({ token: `a${' '.repeat(60_000)}b\u0001` })],
    ['many members', `{${Array.from({ length: 6_000 }, (_, index) => `"m${index}":1`).join(',')}}`],
  ])('%s: is judged at once, by one request', async (_what, body) => {
    const { upstream, sent } = answeredBy({ status: 200, headers: {}, body });
    const connection = connectionOf('helpmaster', 'https://upstream.example');
    const began = process.threadCpuUsage();
    const outcome = await upstream.login({
      connection,
      subject: '88',
      secret: secretOf({ apiKey: 'canary-key' }),
      timeoutMs: 1_000,
    });
    // CPU time, because on a busy machine more wall time passes.
    const { user, system } = process.threadCpuUsage(began);
    expect((user + system) / 1_000).toBeLessThan(AT_ONCE_MS);
    expect(outcome.kind).toBe('failure');
    expect(JSON.stringify(outcome).length).toBeLessThan(1_000);
    expect(sent).toHaveLength(1);
  });
});
