import { beforeEach, describe, expect, it } from 'vitest';
import type { IssuerKeys } from '../../../functions/exchange/issuer-key-source.ts';
import { createIssuerKeys } from '../../../functions/exchange/issuer-keys.ts';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import type { Http, HttpRequest } from '../../../functions/http/port.ts';

const ISSUER = 'https://issuer.example';
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const KEYS = 'https://keys.example/jwks';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Page = string | 'down' | { readonly redirectTo: string };

let nowMs: number;
let pages: Map<string, Page>;
let asked: HttpRequest[];
let warnings: string[];
let keys: IssuerKeys;

const http: Http = {
  async send(request) {
    asked.push(request);
    const page = pages.get(request.url);
    if (page === undefined || page === 'down') return { kind: 'failure', reason: 'connect', sent: false };
    const redirect = typeof page === 'string' ? undefined : page.redirectTo;
    return {
      kind: 'response',
      status: redirect === undefined ? 200 : 302,
      headers: redirect === undefined ? {} : { location: [redirect] },
      body: Buffer.from(typeof page === 'string' ? page : ''),
    };
  },
};

function publish(...keyIds: string[]): void {
  pages.set(KEYS, JSON.stringify({ keys: keyIds.map((kid) => ({ kty: 'EC', kid })) }));
}

async function keyIds(keyId?: string, source = { issuer: ISSUER, jwksUri: KEYS }): Promise<unknown> {
  const found = await keys.keysOf(source, keyId);
  return 'unavailable' in found ? 'unavailable' : found.keys.map(({ kid }) => kid);
}

beforeEach(() => {
  nowMs = 1_000;
  pages = new Map();
  asked = [];
  warnings = [];
  const telemetry = { metrics: () => undefined, info: () => undefined, warn: (text: string) => warnings.push(text) };
  keys = createIssuerKeys({ http, clock: { monotonic: () => nowMs }, telemetry });
  publish('a');
});

describe('keys that were had', () => {
  it('are asked for once in ten minutes, and are the same object meanwhile', async () => {
    const source = { issuer: ISSUER, jwksUri: KEYS };
    const first = await keys.keysOf(source, 'a');
    nowMs += 9 * MINUTE_MS;
    expect(await keys.keysOf(source, 'a')).toBe(first);
    expect(asked).toHaveLength(1);

    nowMs += 2 * MINUTE_MS;
    publish('b');
    expect(await keyIds('b')).toEqual(['b']);
    expect(asked).toHaveLength(2);
  });

  it('serve for a day while the issuer is down, which is asked every 30 s, and no longer', async () => {
    await keyIds('a');
    pages.set(KEYS, 'down');
    nowMs += 23 * HOUR_MS;
    expect(await keyIds('a')).toEqual(['a']);
    expect(await keyIds('a')).toEqual(['a']);
    expect(asked).toHaveLength(2);
    nowMs += 31_000;
    expect(await keyIds('a')).toEqual(['a']);
    expect(asked).toHaveLength(3);

    nowMs += 1 * HOUR_MS;
    expect(await keyIds('a')).toBe('unavailable');
    expect(warnings).toHaveLength(3);
  });

  it('are given up for what the issuer says when it is back', async () => {
    await keyIds('a');
    pages.set(KEYS, 'down');
    nowMs += HOUR_MS;
    await keyIds('a');
    publish('b');
    nowMs += 31_000;

    expect(await keyIds('b')).toEqual(['b']);
  });
});

describe('a key that is not among them', () => {
  it('has them fetched once more, at most every 30 s', async () => {
    await keyIds('a');
    publish('a', 'b');
    expect(await keyIds('b')).toEqual(['a', 'b']);
    expect(await keyIds('x')).toEqual(['a', 'b']);
    expect(asked).toHaveLength(2);

    nowMs += 31_000;
    await keyIds('x');
    expect(asked).toHaveLength(3);
  });

  it('is not sought again in keys fetched for the same token', async () => {
    await keyIds('x');

    expect(asked).toHaveLength(1);
  });

  it('is sought once for all who overlap', async () => {
    await keyIds('a');
    await Promise.all(Array.from({ length: 50 }, () => keyIds('x')));

    expect(asked).toHaveLength(2);
  });

  it('is in doubt while the issuer is down, and the others go on', async () => {
    await keyIds('a');
    pages.set(KEYS, 'down');

    expect(await keyIds('x')).toBe('unavailable');
    expect(await keyIds('a')).toEqual(['a']);
    expect(await keys.keysOf({ issuer: ISSUER, jwksUri: KEYS }, 'x')).toEqual({
      unavailable: true,
      retryAfterMs: 30_000,
    });
    expect(asked).toHaveLength(2);
  });
});

describe('keys that were never had', () => {
  it('are asked for again after 5 s, and not before', async () => {
    pages.set(KEYS, 'down');
    expect(await keyIds('a')).toBe('unavailable');
    nowMs += 2_000;
    expect(await keys.keysOf({ issuer: ISSUER, jwksUri: KEYS }, 'a')).toEqual({
      unavailable: true,
      retryAfterMs: 3_000,
    });
    expect(asked).toHaveLength(1);

    publish('a');
    nowMs += 3_001;
    expect(await keyIds('a')).toEqual(['a']);
  });

  it.each(['', '[]', 'null', '{"keys":{}}', '{"keys":"x"}', '<html>', '{"keys":[]', '\u0000'])(
    'because the answer is %j',
    async (page) => {
      pages.set(KEYS, page);

      expect(await keyIds('a')).toBe('unavailable');
    },
  );

  it('because of a redirect, which is not followed', async () => {
    pages.set(KEYS, { redirectTo: 'https://elsewhere.example/' });

    expect(await keyIds('a')).toBe('unavailable');
    expect(asked.map(({ url }) => url)).toEqual([KEYS]);
  });

  it('because the address is one of a metadata service (invariant 15)', async () => {
    const telemetry = { metrics: () => undefined, info: () => undefined, warn: () => undefined };
    keys = createIssuerKeys({ http: createUpstreamHttp(), clock: { monotonic: () => nowMs }, telemetry });

    expect(await keyIds('a', { issuer: ISSUER, jwksUri: 'http://169.254.169.254/keys' })).toBe('unavailable');
  });
});

describe('discovery', () => {
  const discovered = (issuer = ISSUER) => keys.keysOf({ issuer }, 'a');
  const document = (change: Record<string, unknown> = {}) =>
    JSON.stringify({ issuer: ISSUER, jwks_uri: KEYS, ...change });

  it('finds the keys, within limits of time and size for each request', async () => {
    pages.set(DISCOVERY, document());

    expect(await discovered()).toEqual({ keys: [{ kty: 'EC', kid: 'a' }] });
    expect(asked.map(({ url, timeoutMs, maximumBodyBytes }) => ({ url, timeoutMs, maximumBodyBytes }))).toEqual([
      { url: DISCOVERY, timeoutMs: 3_000, maximumBodyBytes: 131_072 },
      { url: KEYS, timeoutMs: 3_000, maximumBodyBytes: 131_072 },
    ]);
  });

  it('takes an issuer that ends in a slash as it is', async () => {
    pages.set(DISCOVERY, document({ issuer: `${ISSUER}/` }));

    expect(await discovered(`${ISSUER}/`)).toHaveProperty('keys');
  });

  it.each([
    ['another issuer', { issuer: 'https://other.example' }],
    ['no issuer', { issuer: undefined }],
    ['no place', { jwks_uri: undefined }],
    ['a place that is no text', { jwks_uri: [KEYS] }],
    ['plain http', { jwks_uri: 'http://keys.example/jwks' }],
    ['plain http on loopback', { jwks_uri: 'http://127.0.0.1:1/jwks' }],
    ['a file', { jwks_uri: 'file:///etc/passwd' }],
    ['a place with a password in it', { jwks_uri: 'https://u:p@keys.example/jwks' }],
  ])('refuses a document with %s, and asks no further', async (_, change) => {
    pages.set(DISCOVERY, document(change));

    expect(await discovered()).toHaveProperty('unavailable');
    expect(asked).toHaveLength(1);
  });
});
