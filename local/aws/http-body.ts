import type { IncomingMessage } from 'node:http';

/** Reason for an unread body: over the limit, or the client left before its end. */
export type UnreadBody = 'too-large' | 'aborted';

/**
 * Reads a request's body to its end, keeping at most `maxBytes` in memory.
 *
 * Never rejects: a failure is a value. After `too-large` the rest of the body is still on the wire, so the connection
 * must be closed with the answer.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | UnreadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        chunks.length = 0;
        request.removeAllListeners('data');
        request.resume();
        resolve('too-large');
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
