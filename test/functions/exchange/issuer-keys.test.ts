import { errors } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExchangeError } from '../../../functions/exchange/exchange-error.ts';
import { createIssuerKeys, type IssuerKeys, type KeySource } from '../../../functions/exchange/issuer-keys.ts';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import type { Http, HttpRequest } from '../../../functions/http/port.ts';

const ISSUER = 'https://issuer.example';
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const KEYS = 'https://keys.example/jwks';
const SOURCE: KeySource = { issuer: ISSUER, jwksUri: KEYS };
const MINUTE_MS = 60_000;

/** The elliptic curve key of RFC 7517 A.1. */
const PUBLIC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};

let pages: Map<string, string>;
let asked: HttpRequest[];
let warnings: string[];
let keys: IssuerKeys;

const http: Http = {
  async send(request) {
    asked.push(request);
    const page = pages.get(request.url);
    if (page === undefined) return { kind: 'failure', reason: 'connect', sent: false };
    return { kind: 'response', status: 200, headers: {}, body: Buffer.from(page) };
  },
};

function createKeys(client: Http): IssuerKeys {
  const telemetry = { metrics: () => undefined, info: () => undefined, warn: (text: string) => warnings.push(text) };
  return createIssuerKeys({ http: client, clock: { monotonic: Date.now }, telemetry });
}

function publish(...keyIds: string[]): void {
  pages.set(KEYS, JSON.stringify({ keys: keyIds.map((kid) => ({ ...PUBLIC_KEY, kid })) }));
}

function advance(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** Settles with `found`, `not published`, or for how long the issuer is left alone. */
async function ask(kid: string, source = SOURCE): Promise<string> {
  try {
    const key = await keys(source).find({ alg: 'ES256', kid }, { payload: '', signature: '' });
    return 'type' in key ? 'found' : 'no key';
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'not published';
    if (error instanceof ExchangeError && error.error === 'temporarily_unavailable') {
      return `unavailable for ${error.retryAfterMs} ms`;
    }
    throw error;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  pages = new Map();
  asked = [];
  warnings = [];
  keys = createKeys(http);
  publish('a');
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the log of keys that cannot be had', () => {
  it.each([
    [{ kind: 'failure', reason: 'tls', sent: false, fault: 'expired' }, 'tls: expired'],
    [{ kind: 'failure', reason: 'tls', sent: false, fault: 'wrong_name' }, 'tls: wrong_name'],
    [{ kind: 'failure', reason: 'dns', sent: false }, 'dns'],
    [{ kind: 'response', status: 503, headers: {}, body: Buffer.from('') }, 'the status 503'],
    [{ kind: 'response', status: 200, headers: {}, body: Buffer.from('{}') }, 'no key set'],
  ] as const)('says why, each fault of TLS by name: %o', async (answer, why) => {
    const said: unknown[] = [];
    const telemetry = {
      metrics: () => undefined,
      info: () => undefined,
      warn: (_text: string, fields: unknown) => said.push(fields),
    };
    const client: Http = { send: async () => answer };
    const set = createIssuerKeys({ http: client, clock: { monotonic: Date.now }, telemetry })(SOURCE);
    await expect(set.find({ alg: 'ES256', kid: 'a' }, { payload: '', signature: '' })).rejects.toThrow();
    expect(said).toEqual([{ issuer: ISSUER, why }]);
  });
});

describe('cached keys', () => {
  it('are asked for once in ten minutes, and the withdrawn ones end then', async () => {
    expect(await ask('a')).toBe('found');
    publish('b');
    advance(9 * MINUTE_MS);
    expect(await ask('a')).toBe('found');
    expect(asked).toHaveLength(1);

    advance(2 * MINUTE_MS);
    expect(await ask('a')).toBe('not published');
    expect(await ask('b')).toBe('found');
    expect(asked).toHaveLength(2);
  });

  it('are not trusted past their ten minutes where the issuer is down, which is asked every 5 s', async () => {
    await ask('a');
    pages.delete(KEYS);
    advance(11 * MINUTE_MS);
    expect(await ask('a')).toBe('unavailable for 5000 ms');
    advance(2_000);
    expect(await ask('a')).toBe('unavailable for 3000 ms');
    expect(asked).toHaveLength(2);
    expect(warnings).toEqual(['The keys of an issuer could not be fetched.']);

    publish('b');
    advance(3_000);
    expect(await ask('b')).toBe('found');
  });

  it('are those of their own place alone', async () => {
    pages.set('https://mirror.example/', JSON.stringify({ keys: [{ ...PUBLIC_KEY, kid: 'm' }] }));
    const mirror = { issuer: ISSUER, jwksUri: 'https://mirror.example/' };

    expect(await Promise.all([ask('a'), ask('m'), ask('a', mirror), ask('m', mirror)])).toEqual([
      'found',
      'not published',
      'not published',
      'found',
    ]);
  });
});

describe('an unknown key', () => {
  it('has them fetched once more, at most every 30 s', async () => {
    await ask('a');
    publish('a', 'b');
    expect(await ask('b')).toBe('found');
    advance(1_000);
    // The issuer may have made it meanwhile: there is no saying.
    expect(await ask('x')).toBe('unavailable for 29000 ms');
    expect(asked).toHaveLength(2);

    advance(30_000);
    expect(await ask('x')).toBe('not published');
    expect(asked).toHaveLength(3);
  });

  it('is not sought again in keys fetched for the same token', async () => {
    expect(await ask('x')).toBe('not published');

    expect(asked).toHaveLength(1);
  });

  it('is sought once for all who overlap, and found by all', async () => {
    await ask('a');
    publish('b');

    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => ask('b'))))).toEqual(new Set(['found']));
    expect(asked).toHaveLength(2);
  });

  it('is in doubt while the issuer is down, and the others go on', async () => {
    await ask('a');
    pages.delete(KEYS);

    expect(await ask('x')).toBe('unavailable for 5000 ms');
    expect(await ask('a')).toBe('found');
    expect(await ask('x')).toBe('unavailable for 5000 ms');
    expect(asked).toHaveLength(2);
  });
});

describe('a signature that does not verify', () => {
  const renew = async (source = SOURCE): Promise<string> => {
    try {
      return String(await keys(source).renew());
    } catch (error) {
      return error instanceof ExchangeError ? `unavailable for ${error.retryAfterMs} ms` : 'another error';
    }
  };

  it('has the keys fetched once more, at most every 30 s', async () => {
    await ask('a');
    expect(await renew()).toBe('true');
    expect(asked).toHaveLength(2);
    advance(1_000);
    expect(await renew()).toBe('unavailable for 29000 ms');
    advance(30_000);
    expect(await renew()).toBe('true');
    expect(asked).toHaveLength(3);
  });

  it('is final under keys fetched for the same token', async () => {
    const set = keys(SOURCE);
    await set.find({ alg: 'ES256', kid: 'a' }, { payload: '', signature: '' });

    expect(await set.renew()).toBe(false);
    expect(asked).toHaveLength(1);
  });
});

describe('keys that were never fetched', () => {
  it('are asked for again after 5 s, and not before', async () => {
    pages.delete(KEYS);
    expect(await ask('a')).toBe('unavailable for 5000 ms');
    advance(2_000);
    expect(await ask('a')).toBe('unavailable for 3000 ms');
    expect(asked).toHaveLength(1);

    publish('a');
    advance(3_000);
    expect(await ask('a')).toBe('found');
  });

  it.each(['', '[]', 'null', '{"keys":{}}', '{"keys":"x"}', '<html>', '{"keys":[]', '\u0000'])(
    'because the answer is %j',
    async (page) => {
      pages.set(KEYS, page);

      expect(await ask('a')).toBe('unavailable for 5000 ms');
    },
  );

  it('because the address is one of a metadata service (invariant 15)', async () => {
    keys = createKeys(createUpstreamHttp());

    expect(await ask('a', { issuer: ISSUER, jwksUri: 'http://169.254.169.254/keys' })).toMatch(/^unavailable/);
  });
});

describe('discovery', () => {
  const discovered = (issuer = ISSUER) => ask('a', { issuer });
  const document = (change: Record<string, unknown> = {}) =>
    JSON.stringify({ issuer: ISSUER, jwks_uri: KEYS, ...change });

  it('finds the keys, within limits of time and size for each request', async () => {
    pages.set(DISCOVERY, document());

    expect(await discovered()).toBe('found');
    expect(asked.map(({ url, timeoutMs, maximumBodyBytes }) => ({ url, timeoutMs, maximumBodyBytes }))).toEqual([
      { url: DISCOVERY, timeoutMs: 3_000, maximumBodyBytes: 131_072 },
      { url: KEYS, timeoutMs: 3_000, maximumBodyBytes: 131_072 },
    ]);
  });

  it('takes an issuer that ends in a slash as it is', async () => {
    pages.set(DISCOVERY, document({ issuer: `${ISSUER}/` }));

    expect(await discovered(`${ISSUER}/`)).toBe('found');
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

    expect(await discovered()).toMatch(/^unavailable/);
    expect(asked).toHaveLength(1);
  });
});
