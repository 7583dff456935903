import { decodeBody, findHeader } from '../api/body.ts';
import type { ApiEvent } from '../api/request.ts';
import { SYSTEM } from '../core/slot/slot.ts';
import { BrokerError } from '../core/words/errors.ts';
import { Secret } from '../core/words/secret.ts';
import { ExchangeError } from './exchange-error.ts';

/** The largest body of an exchange, in bytes; subject tokens are rarely over 4 KB. */
const MAXIMUM_FORM_BYTES = 16_384;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** The one grant of the endpoint (RFC 8693 §2.1). */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** The one type of token that is issued (RFC 8693 §3). */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** A workload's token, and the slot that it asks for; nothing of it is verified. */
export interface ExchangeRequest {
  readonly subjectToken: Secret<string>;
  /** Name of a connection: the parameter `audience`. */
  readonly connection: string;
  /** The parameter `requested_subject`. */
  readonly subject: string;
}

/**
 * Reads the form of a token exchange (RFC 8693 §2.1). A parameter without a value counts as left out, one that is not
 * known is not looked at, `client_id` among them (RFC 6749 §3.2).
 *
 * Throws for a body over 16 KB (413) or of another type (415), and an `ExchangeError` for a repeated parameter, a
 * missing one, another grant or token type, and for what this endpoint does not do: `resource`, `scope`, `actor_token`.
 */
export function parseExchangeRequest(event: ApiEvent): ExchangeRequest {
  const form = parseForm(event);
  const grantType = required(form, 'grant_type');
  if (grantType !== TOKEN_EXCHANGE) {
    throw new ExchangeError('unsupported_grant_type', `The grant_type must be ${TOKEN_EXCHANGE}.`);
  }
  refuseUnsupported(form);
  const subjectToken = new Secret(required(form, 'subject_token'));
  const type = required(form, 'subject_token_type');
  if (type !== JWT && type !== ID_TOKEN) {
    throw new ExchangeError('invalid_request', `The subject_token_type must be ${JWT} or ${ID_TOKEN}.`);
  }
  const connection = form.get('audience');
  if (connection === undefined) {
    throw new ExchangeError('invalid_request', 'The parameter audience is missing: it names the connection.');
  }
  return { subjectToken, connection, subject: form.get('requested_subject') ?? SYSTEM };
}

function refuseUnsupported(form: ReadonlyMap<string, string>): void {
  if (form.has('actor_token') || form.has('actor_token_type')) {
    throw new ExchangeError('invalid_request', 'There is no delegation here: leave actor_token out.');
  }
  const requestedType = form.get('requested_token_type') ?? ACCESS_TOKEN;
  if (requestedType !== ACCESS_TOKEN) {
    throw new ExchangeError('invalid_request', `The requested_token_type can be ${ACCESS_TOKEN} only.`);
  }
  if (form.has('resource')) {
    throw new ExchangeError('invalid_target', 'Targets are named by audience, a connection: leave resource out.');
  }
  if (form.has('scope')) {
    throw new ExchangeError('invalid_scope', 'The tokens of upstreams have no scopes: leave scope out.');
  }
}

/** The parameters that have a value. A map, so that `__proto__` is a name like any other. */
function parseForm(event: ApiEvent): ReadonlyMap<string, string> {
  const bytes = decodeBody(event, MAXIMUM_FORM_BYTES);
  if (!FORM_TYPE.test(findHeader(event, 'content-type') ?? '')) {
    throw new BrokerError('unsupported_media_type', 'Send the body as application/x-www-form-urlencoded.');
  }
  const form = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(bytes.toString('utf8'))) {
    if (seen.has(name)) {
      throw new ExchangeError('invalid_request', 'A parameter is there more than once; each may be given once.');
    }
    seen.add(name);
    if (value !== '') form.set(name, value);
  }
  return form;
}

function required(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw new ExchangeError('invalid_request', `The parameter ${name} is missing.`);
  return value;
}
