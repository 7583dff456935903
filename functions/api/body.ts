import { BrokerError } from '../core/words/errors.ts';
import type { ApiEvent } from './request.ts';

/** The largest body on the token routes, in bytes. */
export const MAXIMUM_BODY_BYTES = 8_192;
const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json\s*(?:;|$)/i;

/** Finds a header's value, whatever the case of its name; a REST API leaves names as they were sent. */
export function findHeader({ headers }: ApiEvent, name: string): string | undefined {
  const sent = Object.keys(headers).find((each) => each.toLowerCase() === name);
  return sent === undefined ? undefined : headers[sent];
}

/** Decodes the bytes of a request's body; none where it has no body. Throws `payload_too_large` over the cap. */
export function decodeBody(event: ApiEvent, maximumBytes: number): Buffer {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > maximumBytes) {
    throw new BrokerError('payload_too_large', `The body has ${bytes.length} bytes; ${maximumBytes} are allowed.`);
  }
  return bytes;
}

/**
 * Parses the JSON body of a request. Throws `payload_too_large` over 8 KB, `unsupported_media_type` where it is not
 * declared as JSON, `invalid_request` where there is none or it does not parse. No message quotes the body.
 */
export function parseJsonBody(event: ApiEvent): unknown {
  const bytes = decodeBody(event, MAXIMUM_BODY_BYTES);
  if (!JSON_TYPE.test(findHeader(event, 'content-type') ?? '')) {
    throw new BrokerError('unsupported_media_type', 'Send the body with Content-Type: application/json.');
  }
  if (bytes.length === 0) throw new BrokerError('invalid_request', 'The request needs a JSON body and has none.');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new BrokerError('invalid_request', 'The body is not valid JSON in UTF-8.');
  }
}
