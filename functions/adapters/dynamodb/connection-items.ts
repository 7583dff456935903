import type { Leaf } from '../../core/slot/change.ts';
import type { KeptRecord } from '../../core/slot/kept.ts';
import { type Logins, NO_LOGINS } from '../../core/slot/logins.ts';
import type { Permit } from '../../core/slot/permit.ts';
import { failureIn, type Item, type Layout, leaseIn, numberIn, text } from './item.ts';
import { KEPT_SORT_KEY, LOGINS_SORT_KEY, PERMIT_SORT_KEY, TABLE_KEYS } from './table.ts';

/** The attributes of the item of a connection's logins. */
const LOGINS_ATTRIBUTES = {
  revision: 'revision',
  secretVersion: 'sv',
  standing: 'standing',
  refusals: 'refusals',
  'probe.id': 'probeId',
  'probe.until': 'probeUntil',
  notBefore: 'notBefore',
  'timedOut.subject': 'timedOutSubject',
  'timedOut.at': 'timedOutAt',
  'timedOut.subjects': 'timedOutSubjects',
  failed: 'failed',
  issued: 'issued',
  'failedCandidate.code': 'candidateFailCode',
  'failedCandidate.at': 'candidateFailedAt',
  'failedCandidate.evidence': 'candidateFailEvidence',
  rotatedAt: 'rotatedAt',
  ttlSeconds: TABLE_KEYS.ttl,
} as const satisfies Record<Leaf<Logins>, string>;

/** The layout of the item of a connection's logins. */
export function loginsLayout(connection: string): Layout<Logins> {
  return { key: loginsKeyOf(connection), attributes: LOGINS_ATTRIBUTES, beside: {} };
}

/** The primary key of the item of a connection's logins. */
export function loginsKeyOf(connection: string): Item {
  return { pk: text(connection), sk: text(LOGINS_SORT_KEY) };
}

/** Reads the item of a connection's logins. What cannot be read counts as absent. */
export function loginsIn(item: Item): Logins {
  const { sv, standing, probeId, probeUntil, timedOutSubject, failed, issued, ttl } = item;
  const until = numberIn(probeUntil);
  const at = numberIn(item['timedOutAt']);
  const subjects = numberIn(item['timedOutSubjects']);
  return {
    revision: numberIn(item['revision']) ?? NO_LOGINS.revision,
    secretVersion: sv?.S ?? NO_LOGINS.secretVersion,
    standing: standing?.S === 'proven' || standing?.S === 'refused' ? standing.S : NO_LOGINS.standing,
    refusals: numberIn(item['refusals']) ?? NO_LOGINS.refusals,
    probe: probeId?.S === undefined || until === undefined ? undefined : { id: probeId.S, until },
    notBefore: numberIn(item['notBefore']) ?? NO_LOGINS.notBefore,
    timedOut:
      timedOutSubject?.S === undefined || at === undefined || subjects === undefined
        ? undefined
        : { subject: timedOutSubject.S, at, subjects },
    failed: new Set(failed?.SS ?? []),
    issued: new Set(issued?.SS ?? []),
    failedCandidate: failureIn(item['candidateFailCode'], item['candidateFailedAt'], item['candidateFailEvidence']),
    rotatedAt: numberIn(item['rotatedAt']) ?? NO_LOGINS.rotatedAt,
    ttlSeconds: numberIn(ttl) ?? NO_LOGINS.ttlSeconds,
  };
}

/** The attributes of the item of a connection's kept values. */
const KEPT_ATTRIBUTES = {
  fence: 'fence',
  'lease.id': 'leaseId',
  'lease.until': 'leaseUntil',
  of: 'of',
  generation: 'gen',
  'waiting.ciphertext': 'ct',
  'waiting.dataKey': 'dk',
  refused: 'refused',
  used: 'used',
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
  const { fence, of, gen, ct, dk, refused, used } = item;
  return {
    lease: leaseIn(item),
    fence: numberIn(fence) ?? 0,
    of: of?.S,
    generation: numberIn(gen) ?? 0,
    waiting: ct?.B === undefined || dk?.B === undefined ? undefined : { ciphertext: ct.B, dataKey: dk.B },
    refused: refused?.S,
    used: used?.S,
  };
}

/** The layout of the item of one of a connection's permits. */
export function permitLayout(connection: string, number: number): Layout<Permit> {
  const key = { pk: text(connection), sk: text(`${PERMIT_SORT_KEY}${number}`) };
  return { key, attributes: { holder: 'holder', until: 'until' }, beside: {} };
}
