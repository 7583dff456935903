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
import type { Tried } from './trial.ts';
import { createUpstreamFetch, type UpstreamInit, type Upstreams, upstreamUrlOf } from './upstream-fetch.ts';

/** Options of a client. All are optional against `npm start`. */
export interface TokenBrokerClientOptions {
  /** URL of the broker. Default TOKEN_BROKER_URL, else `http://127.0.0.1:8787`. */
  readonly url?: string | undefined;
  /** AWS region to sign for. Default the region in the API's host name, else AWS_REGION. */
  readonly region?: string | undefined;
  /** AWS credentials to sign with. Default the AWS SDK's provider chain; against loopback `local`/`local`. */
  readonly credentials?: AwsCredentials | CredentialProvider | undefined;
  /**
   * Base URLs of upstreams, by connection. A token goes to its base URL only, and over http only if the URL says so.
   */
  readonly upstreams?: Upstreams;
  /** Limit on one call of the broker, all attempts together. Default 30000. */
  readonly timeoutMs?: number;
  /** Maximum attempts of a call that is safe to repeat. Default 3. */
  readonly attempts?: number;
  /** Maximum age of a kept token before the broker is asked again. Default 3600. */
  readonly holdSeconds?: number;
  /** Maximum number of tokens kept. Default 1000. */
  readonly maximumSlots?: number;
  /** Maximum length of a chain of slides that `fetch` keeps. Default 43200, as the broker's. */
  readonly maxSessionSeconds?: number;
  /** Replacement for the global `fetch`. */
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Source of jitter: returns a number in [0, 1). */
  readonly random?: () => number;
}

/** Subject and minimum life of a token. */
export interface TokenOptions {
  /** Default `system`. */
  readonly subject?: string | undefined;
  readonly minTtlSeconds?: number | undefined;
  /** Ends this caller's wait. The request goes on for the other callers who share it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Client of a token broker. Methods reject with a `TokenBrokerError`; `fetch` also with the global `fetch`'s errors.
 */
export interface TokenBrokerClient {
  /** Gets a token: from memory until its refresh is due, then from the broker. */
  token(connection: string, options?: TokenOptions): Promise<HandOut>;
  /** Reports a token that the upstream answered 401 to, and gives the current one. */
  reject(connection: string, rejected: { readonly token: string; readonly subject?: string }): Promise<HandOut>;
  /** Reports a token by its SHA-256 in lowercase hex. */
  reject(connection: string, rejected: { readonly sha256: string; readonly subject?: string }): Promise<HandOut>;
  /** Calls the upstream with the token placed; see `createUpstreamFetch`. */
  fetch(connection: string, target: string | URL, init?: UpstreamInit): Promise<Response>;
  /** Calls the upstream through the broker, which never lets the token out. */
  proxy(connection: string, path: string, init?: ProxyInit): Promise<Response>;
  /** Begins one use of a token, for adapters of other HTTP clients: gives its headers and takes the answer. */
  use(connection: string, options?: Omit<TokenOptions, 'signal'>): Promise<TokenUse>;
  /** Throws unless the token of `connection` may be sent to `url`. For adapters. */
  assertUpstream(connection: string, url: string): void;
  /** Lists the connections. */
  connections(): Promise<readonly ConnectionSummary[]>;
  /** Gets a connection and all of its slots. For operators. */
  status(connection: string): Promise<ConnectionStatus>;
  /**
   * Tries one login, and tells it step by step in names and shapes. With `candidate` by the secret's candidate, which
   * becomes current if the upstream takes it. Never repeated. For operators.
   */
  tryLogin(
    connection: string,
    options?: { readonly subject?: string | undefined; readonly candidate?: boolean | undefined },
  ): Promise<Tried>;
  /** Drops a cached token at the broker and here. For operators. */
  purge(connection: string, options?: { readonly subject?: string | undefined }): Promise<void>;
}

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Creates a client. It sends nothing until it is used, and needs no closing. Throws a `usage` error for an invalid URL
 * or region.
 *
 * @example
 * const client = createTokenBrokerClient({ url: 'https://ID.execute-api.REGION.amazonaws.com/v1' });
 * const { headers } = await client.token('helpdesk', { subject: '88', minTtlSeconds: 60 });
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
      const absolute = URL.parse(url);
      // HTTP clients resolve a relative URL each in its own way, `//host/path` to another host.
      if (absolute === null) throw new TokenBrokerError('usage', 'The URL is not absolute: give a base URL too.');
      upstreamUrlOf(connection, absolute, upstreams);
    },
    connections: () => api.connections(budget),
    status: (connection) => api.status(connection, budget),
    tryLogin: (connection, { subject = 'system', candidate } = {}) =>
      api.tryLogin({ connection, subject }, { ...budget, candidate }),
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

/** Waits for `work`; rejects with the signal's reason if it aborts first. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  // After an abort nobody may be left to handle the rejection of `work`.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}
