import type { Meaning } from '../../core/slot/provider.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';

/** Meanings of the error codes of token endpoints: RFC 6749 §5.2, RFC 8693 §2.2.2, and codes that servers add. */
const meanings: Readonly<Record<string, Meaning>> = {
  invalid_client: 'credential',
  unauthorized_client: 'credential',
  invalid_grant: 'credential',
  invalid_scope: 'misconfigured',
  invalid_request: 'misconfigured',
  unsupported_grant_type: 'misconfigured',
  invalid_target: 'misconfigured',
  consent_required: 'misconfigured',
  slow_down: 'throttled',
  too_many_requests: 'throttled',
  rate_limit_exceeded: 'throttled',
  temporarily_unavailable: 'unavailable',
  server_error: 'unavailable',
};

/**
 * Token types that an API takes with a proof of a key alone, by their names in lower case (RFC 9449 §5, RFC 9200 §8.4).
 */
const BOUND_TYPES: Readonly<Record<string, string>> = { dpop: 'DPoP', pop: 'PoP', mac: 'MAC' };

/**
 * Finds the `token_type` of an answer whose token nobody can send as a bearer's (RFC 6749 §5.1, §7.1). Undefined for
 * Bearer, for what is absent, and for the names of their own that servers give to bearer tokens.
 */
export function readBoundType(content: JsonValue | undefined): string | undefined {
  const type = isJsonObject(content) ? content['token_type'] : undefined;
  const name = typeof type === 'string' ? type.trim().toLowerCase() : '';
  return Object.hasOwn(BOUND_TYPES, name) ? BOUND_TYPES[name] : undefined;
}

/** An OAuth error, and what it means. */
export interface OAuthError {
  readonly error: string;
  readonly means: Meaning;
  readonly description: JsonValue | undefined;
}

/** Reads an error of RFC 6749 §5.2; `aboutUser`: the request named a user, whom `invalid_grant` is about then. */
export function readOAuthError(content: JsonValue | undefined, aboutUser: boolean): OAuthError | undefined {
  if (!isJsonObject(content)) return undefined;
  const { error, error_description: description } = content;
  if (typeof error !== 'string' || !Object.hasOwn(meanings, error)) return undefined;
  const means = meanings[error];
  if (means === undefined) return undefined;
  return { error, means: error === 'invalid_grant' && aboutUser ? 'subject' : means, description };
}
