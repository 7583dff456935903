import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';

/** The bytes of a body, or why it could not be had whole. */
export type BodyReading = Buffer | 'too_large' | 'protocol' | 'reset';

/**
 * Reads a body to its end and decompresses it, though none was asked for. Stops as soon as either form of it is over
 * the cap, so that a bomb costs no more than what fits.
 */
export async function readBody(response: IncomingMessage, maximumBytes: number): Promise<BodyReading> {
  const raw = await collect(response, maximumBytes);
  if (raw === 'too_large') return raw;
  if (raw === 'broken') return 'reset';

  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '' || raw.length === 0) return raw;
  const decoder = await decoderFor(encoding);
  if (decoder === undefined) return 'protocol';
  decoder.end(raw);
  const decoded = await collect(decoder, maximumBytes);
  return decoded === 'broken' ? 'protocol' : decoded;
}

async function collect(
  stream: AsyncIterable<Buffer> & { destroy(): void },
  maximumBytes: number,
): Promise<Buffer | 'too_large' | 'broken'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      // Leaving the loop destroys the stream.
      if (bytes > maximumBytes) return 'too_large';
      chunks.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return Buffer.concat(chunks);
}

async function decoderFor(encoding: string): Promise<Transform | undefined> {
  const zlib = await import('node:zlib');
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      return zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    default:
      return undefined;
  }
}
