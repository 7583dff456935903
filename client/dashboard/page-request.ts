import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../answer.ts';

/** Error for a request of the page that cannot be served: its status and a remedy. */
export class PageRequestError extends Error {
  override readonly name = 'PageRequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const LONGEST_BODY_BYTES = 4_096;

/**
 * Reads the JSON object that the page posted. Throws `PageRequestError` 403 unless the request is the page's own: its
 * `Origin` must be the host of the request, which no other site can send; 415, 413 and 400 unless the body is a JSON
 * object of at most 4 KB.
 */
export async function readPosted(request: IncomingMessage): Promise<Posted> {
  const { origin, host } = request.headers;
  if (host === undefined || origin?.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new PageRequestError(403, 'Only the page itself may ask for this: send its own Origin.');
  }
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new PageRequestError(415, 'Send JSON.');
  }
  const body = await bodyOf(request);
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PageRequestError(400, 'The body must be a JSON object.');
  }
  return { ...value };
}

/** JSON object that the page posted. */
export type Posted = Readonly<Record<string, unknown>>;

/** Reads the member `name` of the posted object. Throws `PageRequestError` 400 unless it matches `pattern`. */
export function postedText(posted: Posted, name: string, pattern: RegExp): string {
  const value = Object.hasOwn(posted, name) ? posted[name] : undefined;
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw new PageRequestError(400, `\`${name}\` is missing or not one.`);
  }
  return value;
}

/** Answers JSON with `no-store`. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    // A body that is too long is read to its end all the same, so that the client gets the answer.
    if (bytes <= LONGEST_BODY_BYTES) chunks.push(piece);
  }
  if (bytes > LONGEST_BODY_BYTES) throw new PageRequestError(413, `At most ${LONGEST_BODY_BYTES} bytes.`);
  return Buffer.concat(chunks).toString('utf8');
}
