import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReceivedRequest } from './received-request.ts';

/** Limit of API Gateway on a body, in bytes. */
export const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

// Limit on reading a body that is too large: below it the client gets its answer, above it the connection is cut.
const DRAIN_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Result of reading a body. After `tooLarge` the connection is usable only if `drained`, and must be closed otherwise.
 * `aborted`: the client has left, and nobody waits for an answer.
 */
export type ReadBody =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'tooLarge'; readonly drained: boolean }
  | { readonly kind: 'aborted' };

const NO_BODY: ReadBody = { kind: 'body', bytes: Buffer.alloc(0) };

/**
 * Reads a body of at most 10 MB, and never holds more than that.
 *
 * A larger body is read and discarded, up to 64 MB. A client that sent `Expect: 100-continue` gets its 100 here, and
 * none if it announces more than the limit.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { headers }: ReceivedRequest,
): Promise<ReadBody> | ReadBody {
  const announcedBytes = headers.get('content-length');
  if (announcedBytes === undefined && !headers.has('transfer-encoding')) return NO_BODY;
  if (headers.get('expect')?.toLowerCase() === '100-continue') {
    if (Number(announcedBytes ?? 0) > BODY_LIMIT_BYTES) return { kind: 'tooLarge', drained: false };
    response.writeContinue();
  }
  return collect(request);
}

function collect(request: IncomingMessage): Promise<ReadBody> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let receivedBytes = 0;
    request.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      if (receivedBytes > DRAIN_LIMIT_BYTES) resolve({ kind: 'tooLarge', drained: false });
    });
    request.on('end', () => {
      if (receivedBytes > BODY_LIMIT_BYTES) resolve({ kind: 'tooLarge', drained: true });
      else resolve({ kind: 'body', bytes: Buffer.concat(chunks) });
    });
    request.on('error', () => resolve({ kind: 'aborted' }));
    request.on('close', () => resolve({ kind: 'aborted' }));
  });
}
