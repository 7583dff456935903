import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/words/json.ts';
import type { Clock, Telemetry } from '../core/words/platform.ts';
import type { Http } from '../http/port.ts';
import { ExchangeError } from './exchange-error.ts';

const DISCOVERY_PATH = '/.well-known/openid-configuration';
/** Time limit for one request; discovery makes two. */
const TIMEOUT_MS = 3_000;
/** Largest key set in bytes. With certificate chains it is some ten kilobytes. */
const MAXIMUM_BYTES = 131_072;
/** Age at which the keys are fetched again, so that a key that the issuer withdrew is dropped. */
const FRESH_MS = 10 * 60_000;
/** Minimum time between two fetches for keys that the set does not have, whoever names them. */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000;
/** Pause after an issuer did not answer. */
const FAILURE_COOLDOWN_MS = 5_000;

/** An issuer and where its keys are; without `jwksUri` the issuer's discovery document says it. */
export interface KeySource {
  readonly issuer: string;
  readonly jwksUri?: string;
}

/**
 * The keys of an issuer, as jose asks for the one of a token. The asking rejects with jose's errors where the set has
 * no such key, and with `temporarily_unavailable` where there is no saying because the issuer does not answer.
 */
export type IssuerKeys = (source: KeySource) => JWTVerifyGetKey;

interface Dependencies {
  readonly http: Http;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly telemetry: Telemetry;
}

/**
 * Creates the cache of issuers' keys, one an instance. Sources come from the configuration, so there are never more
 * entries than it has.
 */
export function createIssuerKeys(dependencies: Dependencies): IssuerKeys {
  const setById = new Map<string, JWTVerifyGetKey>();

  return (source) => {
    const id = JSON.stringify([source.issuer, source.jwksUri ?? null]);
    const keys = setById.get(id) ?? createKeySet(source, dependencies);
    setById.set(id, keys);
    return keys;
  };
}

function createKeySet(source: KeySource, { http, clock, telemetry }: Dependencies): JWTVerifyGetKey {
  let soughtAt = Number.NEGATIVE_INFINITY;
  let failedAt: number | undefined;

  async function fetchKeys(): Promise<Response> {
    const leftMs = failedAt === undefined ? 0 : failedAt + FAILURE_COOLDOWN_MS - clock.monotonic();
    if (leftMs > 0) throw unavailable(leftMs);
    const set = await fetchIssuerKeys(http, source);
    failedAt = set === undefined ? clock.monotonic() : undefined;
    if (set !== undefined) return Response.json(set);
    telemetry.warn('The keys of an issuer could not be fetched.', { issuer: source.issuer });
    throw unavailable(FAILURE_COOLDOWN_MS);
  }

  const set = createRemoteJWKSet(new URL(source.jwksUri ?? source.issuer), {
    [customFetch]: fetchKeys,
    cacheMaxAge: FRESH_MS,
    // jose's own counts from the last fetch of any kind: a key made just after that would be refused for as long.
    cooldownDuration: Number.POSITIVE_INFINITY,
  });

  /** Reports whether to fetch keys for one that is missing. A fetch under way is shared; failures have their own limit. */
  function maySeek(): boolean {
    if (set.reloading || failedAt !== undefined) return true;
    if (clock.monotonic() - soughtAt < UNKNOWN_KEY_COOLDOWN_MS) return false;
    soughtAt = clock.monotonic();
    return true;
  }

  return async (header, token) => {
    const wasFresh = set.fresh;
    try {
      return await set(header, token);
    } catch (error) {
      // Keys fetched for this very token lack it for good.
      if (!(error instanceof errors.JWKSNoMatchingKey && wasFresh && maySeek())) throw error;
    }
    await set.reload();
    return set(header, token);
  };
}

function unavailable(retryAfterMs: number): ExchangeError {
  const detail = "The keys of the subject token's issuer cannot be fetched.";
  return new ExchangeError('temporarily_unavailable', detail, { retryAfterMs });
}

/**
 * Fetches the keys that an issuer publishes, by its discovery document where the source does not say where they are
 * (OpenID Connect Discovery §4). Undefined where they cannot be had: no answer within 3 s a request, another status
 * than 200 (no redirect is followed), over 128 KB, no key set, or a discovery document of another issuer.
 */
export async function fetchIssuerKeys(
  http: Http,
  source: KeySource,
): Promise<{ readonly keys: readonly JsonObject[] } | undefined> {
  const uri = source.jwksUri ?? (await discoverUri(http, source.issuer));
  if (uri === undefined) return undefined;
  const answer = await getJson(http, uri);
  const keys = answer?.['keys'];
  return Array.isArray(keys) ? { keys: keys.filter((key) => isJsonObject(key)) } : undefined;
}

async function discoverUri(http: Http, issuer: string): Promise<string | undefined> {
  const document = await getJson(http, `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}`);
  const uri = document?.['jwks_uri'];
  // §4.3: or one issuer could pass another's keys off as its own.
  if (document?.['issuer'] !== issuer || typeof uri !== 'string') return undefined;
  return isAllowedUri(uri, issuer) ? uri : undefined;
}

/** https, or plain http on the very host of an issuer that is itself declared with it, which only loopback may be. */
function isAllowedUri(text: string, issuer: string): boolean {
  const uri = URL.parse(text);
  const home = URL.parse(issuer);
  if (uri === null || home === null || uri.username !== '' || uri.password !== '') return false;
  return uri.protocol === 'https:' || (uri.protocol === 'http:' && uri.origin === home.origin);
}

async function getJson(http: Http, url: string): Promise<JsonObject | undefined> {
  const answer = await http.send({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
    timeoutMs: TIMEOUT_MS,
    maximumBodyBytes: MAXIMUM_BYTES,
  });
  if (answer.kind === 'failure' || answer.status !== 200) return undefined;
  try {
    const value: JsonValue = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
