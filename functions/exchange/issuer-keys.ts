import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/words/json.ts';
import type { Clock, Telemetry } from '../core/words/platform.ts';
import type { Http } from '../http/port.ts';
import { decodeText } from '../http/text.ts';
import { ExchangeError, NOT_VERIFIABLE } from './exchange-error.ts';

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

/** The keys of one issuer. Both reject with `temporarily_unavailable` where there is no saying, and from when there is. */
export interface KeySet {
  /** Finds the key of a token, as jose asks for it. Rejects with jose's errors where the issuer has no such key. */
  readonly find: JWTVerifyGetKey;
  /**
   * Fetches the keys for a token whose signature does not verify. Resolves to false where those at hand were fetched for
   * this very token.
   */
  renew(): Promise<boolean>;
}

/** Gives the keys of an issuer, as one token sees them. */
export type IssuerKeys = (source: KeySource) => KeySet;

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
  const setById = new Map<string, SharedKeys>();

  return (source) => {
    const id = JSON.stringify([source.issuer, source.jwksUri ?? null]);
    const shared = setById.get(id) ?? createSharedKeys(source, dependencies);
    setById.set(id, shared);
    return shared();
  };
}

/** Gives the view of an issuer's keys that one token has. */
type SharedKeys = () => KeySet;

function createSharedKeys(source: KeySource, { http, clock, telemetry }: Dependencies): SharedKeys {
  let soughtAt = Number.NEGATIVE_INFINITY;
  let failedAt: number | undefined;
  let fetches = 0;

  async function fetchKeys(): Promise<Response> {
    const leftMs = failedAt === undefined ? 0 : failedAt + FAILURE_COOLDOWN_MS - clock.monotonic();
    if (leftMs > 0) throw unavailable(leftMs);
    let why = 'no key set';
    const set = await fetchIssuerKeys(http, source, (found) => {
      why = found;
    });
    failedAt = set === undefined ? clock.monotonic() : undefined;
    fetches += 1;
    if (set !== undefined) return Response.json(set);
    telemetry.warn('The keys of an issuer could not be fetched.', { issuer: source.issuer, why });
    throw unavailable(FAILURE_COOLDOWN_MS);
  }

  const set = createRemoteJWKSet(new URL(source.jwksUri ?? source.issuer), {
    [customFetch]: fetchKeys,
    cacheMaxAge: FRESH_MS,
    // jose's own counts from the last fetch of any kind: a key made just after that would be refused for as long.
    cooldownDuration: Number.POSITIVE_INFINITY,
  });

  /** Fetches the keys again unless that was done just now: then there is no saying whether they are behind. */
  async function fetchAgain(): Promise<void> {
    // A fetch under way is shared; failures have their own limit.
    if (!set.reloading && failedAt === undefined) {
      const leftMs = soughtAt + UNKNOWN_KEY_COOLDOWN_MS - clock.monotonic();
      if (leftMs > 0) throw unavailable(leftMs);
      soughtAt = clock.monotonic();
    }
    await set.reload();
  }

  return () => {
    const before = fetches;
    // Keys fetched for this very token lack it for good.
    const isFetchedFor = () => fetches > before;
    return {
      async find(header, token) {
        try {
          return await set(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey) || isFetchedFor()) throw error;
        }
        await fetchAgain();
        return set(header, token);
      },
      async renew() {
        if (isFetchedFor()) return false;
        await fetchAgain();
        return true;
      },
    };
  };
}

function unavailable(retryAfterMs: number): ExchangeError {
  const reason = "The keys of the subject token's issuer cannot be fetched, or may be behind.";
  return new ExchangeError('temporarily_unavailable', NOT_VERIFIABLE, { retryAfterMs, reason });
}

/**
 * Fetches the keys that an issuer publishes, by its discovery document where the source does not say where they are
 * (OpenID Connect Discovery §4). Undefined where they cannot be had: no answer within 3 s a request, another status
 * than 200 (no redirect is followed), over 128 KB, no key set, or a discovery document of another issuer.
 */
export async function fetchIssuerKeys(
  http: Http,
  source: KeySource,
  onFailure: (why: string) => void = () => {},
): Promise<{ readonly keys: readonly JsonObject[] } | undefined> {
  const uri = source.jwksUri ?? (await discoverUri(http, source.issuer, onFailure));
  if (uri === undefined) return undefined;
  const answer = await getJson(http, uri, onFailure);
  const keys = answer?.['keys'];
  return Array.isArray(keys) ? { keys: keys.filter((key) => isJsonObject(key)) } : undefined;
}

async function discoverUri(http: Http, issuer: string, onFailure: (why: string) => void): Promise<string | undefined> {
  const document = await getJson(http, `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}`, onFailure);
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

/** Gets a JSON object. Where there is none, says why for the operator's log: the fault of the network or of TLS by name. */
async function getJson(http: Http, url: string, onFailure: (why: string) => void): Promise<JsonObject | undefined> {
  const answer = await http.send({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
    timeoutMs: TIMEOUT_MS,
    maximumBodyBytes: MAXIMUM_BYTES,
  });
  if (answer.kind === 'failure') {
    onFailure(answer.fault === undefined ? answer.reason : `${answer.reason}: ${answer.fault}`);
    return undefined;
  }
  if (answer.status !== 200) {
    onFailure(`the status ${answer.status}`);
    return undefined;
  }
  try {
    const value: JsonValue = JSON.parse(decodeText(answer));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
