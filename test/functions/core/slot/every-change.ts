import type { SlotChange } from '../../../../functions/core/slot/changes.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import { changeLogins, type Logins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import type { SealedToken } from '../../../../functions/core/slot/record.ts';

/** A sealed token of no content. */
export const sealedToken: SealedToken = {
  ...{ ciphertext: new Uint8Array(1), dataKey: new Uint8Array(1), secretVersion: 'v1', hash: 'a', publicationId: 'p' },
  ...{ issuedAt: 1, usableUntil: 2, refreshAt: 1, sessionStartedAt: 1 },
};
const seen = {
  ...{
    generation: 1,
    token: sealedToken,
    lease: { id: 'l', until: 1 },
    fence: 1,
    notBefore: 1,
    tries: 1,
    rejectedGeneration: 1,
  },
  ...{ lastHandedOutAt: 1, refreshAskedAt: 1, dueAt: 1, ttlSeconds: 1 },
};
const claim = { leaseId: 'me', now: 2, leaseUntil: 3, notBefore: 4, ttlSeconds: 5 };
const publication = {
  leaseId: 'me',
  seenGeneration: 1,
  token: sealedToken,
  dueAt: 2,
  ttlSeconds: 3,
  keepsRefusal: false,
};
const failed = { leaseId: 'me', code: 'cooldown', at: 1, notBefore: 2, ttlSeconds: 3 } as const;

/** Each change of a slot in all its shapes. One that is new does not compile until it is here. */
export const everyChange = {
  acquire: [
    changes.acquire({ ...claim, seen: undefined }),
    changes.acquire({ ...claim, seen }),
    changes.acquire({ ...claim, seen, way: 'renewal' }),
  ],
  begin: [changes.begin({ leaseId: 'me', begunBy: 'i' })],
  publish: [changes.publish(publication), changes.publish({ ...publication, lastHandedOutAt: 1, keepsRefusal: true })],
  turnToLogin: [changes.turnToLogin({ ...claim, seenGeneration: 1, isRejected: true })],
  fail: [
    changes.fail({ ...failed, dueAt: 2 }),
    changes.fail({ ...failed, refusedVersion: 'v1', tries: 0 }),
    changes.fail({ ...failed, way: 'renewal', dueAt: 2 }),
    changes.fail({ ...failed, dueAt: 2, seenGeneration: 1 }),
    changes.fail({ ...failed, dueAt: 2, begunBy: 'i' }),
    changes.fail({ ...failed, dueAt: 2, forgetsRefusal: true }),
  ],
  defer: [changes.defer({ leaseId: 'me', until: 2, tries: 0 })],
  release: [changes.release({ leaseId: 'me' })],
  askRefresh: [changes.askRefresh({ generation: 1, now: 2, notSince: 1 })],
  recordUse: [changes.recordUse({ now: 2, notSince: 1, dueAt: 3 })],
  markRejected: [changes.markRejected({ generation: 1, hash: 'a', reports: 1, reportedAt: 1 })],
  reschedule: [
    changes.reschedule({ generation: 1, lastHandedOutAt: 1 }),
    changes.reschedule({ generation: 1, lastHandedOutAt: 1, dueAt: 2 }),
  ],
  purge: [changes.purge({ ttlSeconds: 1 })],
  endBackOff: [changes.endBackOff({ dueAt: 1 })],
  adopt: [changes.adopt({ seenGeneration: 1, usedHash: 'a', token: sealedToken, dueAt: 1, ttlSeconds: 1, now: 2 })],
  barRenewal: [changes.barRenewal({ hash: 'a', until: 2 })],
  beginCall: [changes.beginCall({ leaseId: 'me', leaseUntil: 3, ttlSeconds: 1, seen })],
} satisfies Record<keyof typeof changes, readonly SlotChange[]>;

const begun: Logins = {
  ...{ revision: 1, secretVersion: 'v1', standing: 'proven', refusals: 1, notBefore: 1, ttlSeconds: 1 },
  ...{ probe: { id: 'me', until: 2 }, failed: new Set(['1 refused me']), issued: new Set(['1 unknown me']) },
};

/** Writes of a connection's logins. Each leaves the record that was decided on, one revision further. */
export const loginsWrites = [
  { before: NO_LOGINS, next: begun },
  { before: begun, next: NO_LOGINS },
].map(({ before, next }) => ({ before, next, change: changeLogins(before, next, 1) }));
