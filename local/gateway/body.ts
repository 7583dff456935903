import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReceivedRequest } from './received-request.ts';

/** The most bytes that the HTTP API takes as a body. */
export const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

// A client that sends without end is cut off here; up to this it is read out, so that it gets to see its answer.
const DRAIN_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * How reading a body ended. `tooLarge` with `drained` leaves the connection usable; without, it must be closed.
 * `aborted`: the client is gone, and nobody waits for an answer.
 */
export type ReadBody =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'tooLarge'; readonly drained: boolean }
  | { readonly kind: 'aborted' };

const NO_BODY: ReadBody = { kind: 'body', bytes: Buffer.alloc(0) };

/**
 * Reads a body of at most 10 MB, and never holds more than that.
 *
 * A larger one is read to its end and forgotten, as far as 64 MB. A client that asked with `Expect: 100-continue` is
 * told to go on only here, and not at all when it announces more than the limit.
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
