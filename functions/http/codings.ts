import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { collect } from './collect.ts';

/** A body, with the codings that still apply to it: of those that it came in, the ones that could not be undone. */
export interface ReadBody {
  readonly bytes: Buffer;
  /** In the order in which they were applied (RFC 9110 §8.4). */
  readonly codings: readonly string[];
}

/** Undoes the codings of a body, the last first, as far as it can. */
export async function undoCodings(read: ReadBody, maximumBytes: number): Promise<ReadBody | 'too_large'> {
  const { codings } = read;
  let { bytes } = read;
  for (let left = codings.length; left > 0; left -= 1) {
    const decoded = bytes.length === 0 ? bytes : await decode(codings[left - 1] ?? '', bytes, maximumBytes);
    if (decoded === 'too_large') return decoded;
    if (decoded === undefined) return { bytes, codings: codings.slice(0, left) };
    bytes = decoded;
  }
  return { bytes, codings: [] };
}

/** The body before a coding; undefined where it cannot be undone. */
async function decode(coding: string, body: Buffer, maximumBytes: number): Promise<Buffer | 'too_large' | undefined> {
  for (const decoder of decodersFor(coding, body)) {
    decoder.end(body);
    const decoded = await collect(decoder, maximumBytes);
    if (decoded !== 'broken') return decoded;
  }
  return undefined;
}

function decodersFor(coding: string, body: Buffer): readonly Transform[] {
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
