import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';

/** A body, with the codings that still apply to it: of those that it came in, the ones that could not be undone. */
export interface ReadBody {
  readonly bytes: Buffer;
  /** In the order in which they were applied (RFC 9110 §8.4). */
  readonly codings: readonly string[];
}

/** A body, or why it could not be had whole. */
export type BodyReading = ReadBody | 'too_large' | 'reset';

/**
 * Reads a body to its end and undoes its codings, though none was asked for. What cannot be undone, since nobody knows
 * the coding or the body is not in it, stays as it came. Stops as soon as either form of it is over the cap, so that a
 * bomb costs no more than what fits.
 */
export async function readBody(response: IncomingMessage, maximumBytes: number): Promise<BodyReading> {
  const raw = await collect(response, maximumBytes);
  if (raw === 'too_large') return raw;
  if (raw === 'broken') return 'reset';

  const codings = codingsOf(response.headersDistinct['content-encoding']);
  let bytes = raw;
  for (let left = codings.length; left > 0; left -= 1) {
    const decoded = bytes.length === 0 ? bytes : await decode(codings[left - 1] ?? '', bytes, maximumBytes);
    if (decoded === 'too_large') return decoded;
    if (decoded === undefined) return { bytes, codings: codings.slice(0, left) };
    bytes = decoded;
  }
  return { bytes, codings: [] };
}

function codingsOf(values: readonly string[] = []): readonly string[] {
  const names = values.join(',').split(',');
  return names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '' && name !== 'identity');
}

/** The body before a coding; undefined where it cannot be undone. */
async function decode(coding: string, body: Buffer, maximumBytes: number): Promise<Buffer | 'too_large' | undefined> {
  for (const decoder of await decodersFor(coding, body)) {
    decoder.end(body);
    const decoded = await collect(decoder, maximumBytes);
    if (decoded !== 'broken') return decoded;
  }
  return undefined;
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

async function decodersFor(coding: string, body: Buffer): Promise<readonly Transform[]> {
  const zlib = await import('node:zlib');
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return [zlib.createGunzip()];
    case 'deflate':
      // Some servers send the bare data, without the zlib format of RFC 9110 §8.4.1.2, and browsers read both.
      return hasZlibHead(body)
        ? [zlib.createInflate(), zlib.createInflateRaw()]
        : [zlib.createInflateRaw(), zlib.createInflate()];
    case 'br':
      return [zlib.createBrotliDecompress()];
    case 'zstd':
      return [zlib.createZstdDecompress()];
    default:
      return [];
  }
}

/** RFC 1950 §2.2: the method is deflate, and the two bytes are a multiple of 31. */
function hasZlibHead(body: Buffer): boolean {
  const [first = 0, second = 0] = body;
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
