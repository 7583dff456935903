import { isJsonObject, type JsonObject, type JsonValue } from '../core/words/json.ts';
import type { Http } from '../http/port.ts';
import type { IssuerKeySet, KeySource } from './issuer-key-source.ts';

const DISCOVERY_PATH = '/.well-known/openid-configuration';
/** Key sets with certificate chains in them are some ten kilobytes. */
const MAXIMUM_BYTES = 131_072;

/**
 * Fetches the keys that an issuer publishes, by its discovery document where the source does not say where they are
 * (OpenID Connect Discovery §4). Undefined where they cannot be had: no answer within `timeoutMs` a request, another
 * status than 200 (no redirect is followed), over 128 KB, no key set, or a discovery document of another issuer.
 */
export async function fetchIssuerKeys(
  http: Http,
  source: KeySource,
  timeoutMs: number,
): Promise<IssuerKeySet | undefined> {
  const uri = source.jwksUri ?? (await discoveredUri(http, source.issuer, timeoutMs));
  if (uri === undefined) return undefined;
  const answer = await getJson(http, uri, timeoutMs);
  const keys = answer?.['keys'];
  return Array.isArray(keys) ? { keys: keys.filter((key) => isJsonObject(key)) } : undefined;
}

async function discoveredUri(http: Http, issuer: string, timeoutMs: number): Promise<string | undefined> {
  const document = await getJson(http, `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}`, timeoutMs);
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

async function getJson(http: Http, url: string, timeoutMs: number): Promise<JsonObject | undefined> {
  const answer = await http.send({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
    timeoutMs,
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
