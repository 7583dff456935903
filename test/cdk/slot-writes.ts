import type { SlotChange } from '../../functions/core/slot/changes.ts';
import * as changes from '../../functions/core/slot/changes.ts';
import { EMPTY_RECORD } from '../../functions/core/slot/record.ts';

const lease = { leaseId: 'l' };
const acquired = { ...lease, now: 1, leaseUntil: 2, notBefore: 2, ttlSeconds: 3 };
const notSent = { ...lease, code: 'mint_unavailable', at: 1, notBefore: 2, dueAt: 2, tries: 0, ttlSeconds: 3 } as const;

/** The writes of each function to a slot's item, from the updates that the store sends. */
export const writes = {
  acquireNew: changes.acquire({ ...acquired, seen: undefined }),
  acquireSeen: changes.acquire({
    ...acquired,
    seen: { ...EMPTY_RECORD, generation: 1, fence: 1, lease: { id: 'old', until: 0 } },
  }),
  notSent: changes.fail(notSent),
  acquireForRenewal: changes.acquire({ ...acquired, way: 'renewal', seen: EMPTY_RECORD }),
  renewalNotSent: changes.fail({ ...notSent, way: 'renewal' }),
  askRefresh: changes.askRefresh({ generation: 1, now: 2, notSince: 1 }),
  recordUse: changes.recordUse({ now: 2, notSince: 1, dueAt: 3 }),
  markRejected: changes.markRejected({ generation: 1, hash: 'ab', reports: 'c:1', reportedAt: 1 }),
  endBackOff: changes.endBackOff({ notBefore: 1 }, { notBefore: 1, dueAt: 1 }),
  askProof: changes.askProof({ lease: { id: 'mine', until: 1 } }, { unprovenVersion: 'v', dueAt: 1 }),
  publish: changes.publish({
    ...lease,
    seenGeneration: 1,
    keepsRefusal: false,
    dueAt: 1,
    ttlSeconds: 1,
    token: {
      ciphertext: new Uint8Array(),
      dataKey: new Uint8Array(),
      issuedAt: 1,
      usableUntil: 2,
      refreshAt: 2,
      sessionStartedAt: 1,
      secretVersion: 'v',
      hash: 'h',
      publicationId: 'p',
    },
  }),
} satisfies Record<string, SlotChange>;
