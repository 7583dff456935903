import { type ConnectionStatus, type ConnectionSummary, createBrokerApi } from './broker-api.ts';
import { type Clock, systemClock } from './clock.ts';
import { endpointOf } from './endpoint.ts';
import { TokenBrokerError } from './error.ts';
import { type HandOut, hashOf } from './hand-out.ts';
import { createProxyCall, type ProxyInit } from './proxy-call.ts';
import { type AwsCredentials, type CredentialProvider, createSigner } from './signing.ts';
import { createTokenCache } from './token-cache.ts';
import { createTokenUses, type TokenUse } from './token-use.ts';
import { createTransport, type Fetch } from './transport.ts';
import { createUpstreamFetch, type UpstreamInit, type Upstreams, upstreamUrlOf } from './upstream-fetch.ts';

/** Where the broker is and how to call it. All may be left out against `npm start`. */
export interface TokenBrokerClientOptions {
  /** Default TOKEN_BROKER_URL, else `http://127.0.0.1:8787`. */
  readonly url?: string | undefined;
  /** Default the region in the API's host name, else AWS_REGION. */
  readonly region?: string | undefined;
  /** Default the AWS SDK's provider chain; against loopback `local`/`local`. */
  readonly credentials?: AwsCredentials | CredentialProvider | undefined;
  /** Base URLs of upstreams, by connection: their tokens go there alone, over plain http where it says http. */
  readonly upstreams?: Upstreams;
  /** For one call of the broker, all attempts together. Default 30000. */
  readonly timeoutMs?: number;
  /** How often a call that may be repeated is made. Default 3. */
  readonly attempts?: number;
  /** The longest time before the broker is asked again for a token that is kept. Default 3600. */
  readonly holdSeconds?: number;
  /** The most tokens kept. Default 1000. */
  readonly maximumSlots?: number;
  /** The longest chain of slides that `fetch` keeps. Default 43200, as the broker's. */
  readonly maxSessionSeconds?: number;
  /** Default the global `fetch`. */
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Gives a number in [0, 1), for jitter. */
  readonly random?: () => number;
}

/** Whose token, and how long it must be good. */
export interface TokenOptions {
  /** `system` where it is left out. */
  readonly subject?: string | undefined;
  readonly minTtlSeconds?: number | undefined;
  /** Ends this caller's waiting. The request goes on for those who share it. */
  readonly signal?: AbortSignal | undefined;
}

/** A token broker's client. Everything rejects with a `TokenBrokerError`, and `fetch` also as `fetch` itself does. */
export interface TokenBrokerClient {
  /** A token, from memory until the broker should be asked again. */
  token(connection: string, options?: TokenOptions): Promise<HandOut>;
  /** Reports a token that the upstream answered 401 to, and gives the current one. */
  reject(connection: string, rejected: { readonly token: string; readonly subject?: string }): Promise<HandOut>;
  /** As `reject`, for who has only the token's SHA-256 in lowercase hex. */
  reject(connection: string, rejected: { readonly sha256: string; readonly subject?: string }): Promise<HandOut>;
  /** Calls the upstream with the token placed; see `createUpstreamFetch`. */
  fetch(connection: string, target: string | URL, init?: UpstreamInit): Promise<Response>;
  /** Calls the upstream through the broker, which never lets the token out. */
  proxy(connection: string, path: string, init?: ProxyInit): Promise<Response>;
  /** For adapters of other HTTP clients: a token about to be used, and what to do with the answer. */
  use(connection: string, options?: Omit<TokenOptions, 'signal'>): Promise<TokenUse>;
  /** For adapters: throws unless the token of `connection` may go to `url`. */
  assertUpstream(connection: string, url: string): void;
  /** The connections that there are. */
  connections(): Promise<readonly ConnectionSummary[]>;
  /** A connection and all of its slots, for operators. */
  status(connection: string): Promise<ConnectionStatus>;
  /** Drops a cached token at the broker and here, for operators. */
  purge(connection: string, options?: { readonly subject?: string | undefined }): Promise<void>;
}

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Creates a client. It opens nothing and asks nobody until it is used, and needs no closing. Throws a `usage` error for
 * a URL or a region that cannot be.
 */
export function createTokenBrokerClient(options: TokenBrokerClientOptions = {}): TokenBrokerClient {
  const { clock = systemClock, random = Math.random, upstreams = {}, credentials } = options;
  const { fetch = globalThis.fetch as Fetch } = options;
  const endpoint = endpointOf({ url: options.url, region: options.region, environment: process.env });
  const transport = createTransport({ endpoint, sign: createSigner({ endpoint, clock, credentials }), fetch });
  const budget = { attempts: options.attempts ?? 3, timeoutMs: options.timeoutMs ?? 30_000 };
  const api = createBrokerApi({ transport, clock, random });
  const cache = createTokenCache({
    api,
    budget,
    clock,
    random,
    holdMs: (options.holdSeconds ?? 3_600) * 1000,
    maximumSlots: options.maximumSlots ?? 1_000,
  });
  const begin = createTokenUses({ cache, clock, maximumSessionMs: (options.maxSessionSeconds ?? 43_200) * 1000 });

  return {
    async token(connection, { subject = 'system', minTtlSeconds, signal } = {}) {
      assertWholeSeconds(minTtlSeconds);
      const { handOut } = await abortable(cache.get({ connection, subject }, minTtlSeconds), signal);
      return handOut;
    },
    async reject(connection, rejected) {
      const { subject = 'system' } = rejected;
      const hash = 'token' in rejected ? hashOf(rejected.token) : rejected.sha256;
      if (!SHA256.test(hash)) {
        throw new TokenBrokerError('usage', 'A rejection names the SHA-256 of the token: 64 lowercase hex digits.');
      }
      return (await cache.reject({ connection, subject }, hash)).handOut;
    },
    fetch: createUpstreamFetch({ begin, fetch, upstreams }),
    proxy: createProxyCall({ transport, budget, clock, random }),
    async use(connection, { subject = 'system', minTtlSeconds } = {}) {
      assertWholeSeconds(minTtlSeconds);
      return begin({ connection, subject }, minTtlSeconds);
    },
    assertUpstream(connection, url) {
      upstreamUrlOf(connection, URL.parse(url) ?? url, upstreams);
    },
    connections: () => api.connections(budget),
    status: (connection) => api.status(connection, budget),
    async purge(connection, { subject = 'system' } = {}) {
      cache.forget({ connection, subject });
      await api.purge({ connection, subject }, budget);
      cache.forget({ connection, subject });
    },
  };
}

function assertWholeSeconds(minTtlSeconds: number | undefined): void {
  if (minTtlSeconds === undefined || (Number.isSafeInteger(minTtlSeconds) && minTtlSeconds >= 0)) return;
  throw new TokenBrokerError('usage', '`minTtlSeconds` is a whole number of seconds, 0 or more.');
}

/** Rejects with the signal's reason when it aborts first. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  // Whoever stops waiting leaves a rejection that nobody else may be there to handle.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}
