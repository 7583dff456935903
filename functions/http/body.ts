import type { IncomingMessage } from 'node:http';
import type { ReadBody } from './codings.ts';
import { collect } from './collect.ts';

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
  if (codings.length === 0) return { bytes: raw, codings };
  // Load the decoders only for a body in a coding that nobody asked for.
  const { undoCodings } = await import('./codings.ts');
  return undoCodings({ bytes: raw, codings }, maximumBytes);
}

function codingsOf(values: readonly string[] = []): readonly string[] {
  const names = values.join(',').split(',');
  return names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '' && name !== 'identity');
}
