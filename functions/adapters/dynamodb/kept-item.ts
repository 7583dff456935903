import type { Leaf } from '../../core/slot/change.ts';
import type { KeptRecord } from '../../core/slot/kept.ts';
import { type Item, type Layout, leaseIn, numberIn, text } from './item.ts';
import { KEPT_SORT_KEY } from './table.ts';

/** The attributes of the item of a connection's kept values. */
const KEPT_ATTRIBUTES = {
  fence: 'fence',
  'lease.id': 'leaseId',
  'lease.until': 'leaseUntil',
  'lease.begunBy': 'begunBy',
  of: 'of',
  generation: 'gen',
  'waiting.ciphertext': 'ct',
  'waiting.dataKey': 'dk',
  refused: 'refused',
} as const satisfies Record<Leaf<KeptRecord>, string>;

/** The layout of the item of a connection's kept values. */
export function keptLayout(connection: string): Layout<KeptRecord> {
  return { key: keptKeyOf(connection), attributes: KEPT_ATTRIBUTES, beside: {} };
}

/** The primary key of the item of a connection's kept values. */
export function keptKeyOf(connection: string): Item {
  return { pk: text(connection), sk: text(KEPT_SORT_KEY) };
}

/** Reads the item of a connection's kept values. What cannot be read counts as absent, as in a slot's. */
export function keptIn(item: Item): KeptRecord {
  const { fence, of, gen, ct, dk, refused } = item;
  return {
    lease: leaseIn(item),
    fence: numberIn(fence) ?? 0,
    of: of?.S,
    generation: numberIn(gen) ?? 0,
    waiting: ct?.B === undefined || dk?.B === undefined ? undefined : { ciphertext: ct.B, dataKey: dk.B },
    refused: refused?.S,
  };
}
