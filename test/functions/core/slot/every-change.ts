import type { SlotChange } from '../../../../functions/core/slot/changes.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import * as kept from '../../../../functions/core/slot/kept.ts';
import * as logins from '../../../../functions/core/slot/logins.ts';
import * as permit from '../../../../functions/core/slot/permit.ts';
import type { SealedToken } from '../../../../functions/core/slot/record.ts';

/** The names of the functions of a module that make changes. One that is new does not compile until it is below. */
type MakersOf<Module, Made> = {
  [Name in keyof Module]: Module[Name] extends (...given: never) => Made ? Name : never;
}[keyof Module];

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

/** Each change of a slot in all its shapes. */
export const everyChange = {
  acquire: [
    changes.acquire({ ...claim, seen: undefined }),
    changes.acquire({ ...claim, seen }),
    changes.acquire({ ...claim, seen, way: 'renewal' }),
  ],
  begin: [changes.begin({ leaseId: 'me', begunBy: 'i' })],
  publish: [
    changes.publish({ ...publication, provesVersion: true }),
    changes.publish({ ...publication, lastHandedOutAt: 1, keepsRefusal: true }),
  ],
  turnToLogin: [changes.turnToLogin({ ...claim, seenGeneration: 1, isRejected: true })],
  fail: [
    changes.fail({ ...failed, dueAt: 2 }),
    changes.fail({ ...failed, refusedVersion: 'v1', tries: 0 }),
    changes.fail({ ...failed, way: 'renewal', dueAt: 2 }),
    changes.fail({ ...failed, dueAt: 2, seen }),
    changes.fail({ ...failed, dueAt: 2, begunBy: 'i' }),
    changes.fail({ ...failed, dueAt: 2, forgetsRefusal: true }),
  ],
  defer: [changes.defer({ leaseId: 'me', until: 2, tries: 0 })],
  release: [changes.release({ leaseId: 'me' })],
  askRefresh: [changes.askRefresh({ generation: 1, now: 2, notSince: 1 })],
  recordUse: [changes.recordUse({ now: 2, notSince: 1, dueAt: 3 })],
  markRejected: [changes.markRejected({ generation: 1, hash: 'a', reports: 'c:1', reportedAt: 1 })],
  reschedule: [
    changes.reschedule({ generation: 1, lastHandedOutAt: 1 }),
    changes.reschedule({ generation: 1, lastHandedOutAt: 1, dueAt: 2 }),
  ],
  purge: [changes.purge({ ttlSeconds: 1 })],
  endBackOff: [changes.endBackOff({ notBefore: 2 }, { notBefore: 1, dueAt: 1 })],
  askProof: [changes.askProof(seen, { unprovenVersion: 'v2', dueAt: 1 })],
  endProof: [changes.endProof({ version: 'v2' })],
  adopt: [changes.adopt({ seenGeneration: 1, usedHash: 'a', token: sealedToken, dueAt: 1, ttlSeconds: 1, now: 2 })],
  barRenewal: [changes.barRenewal({ hash: 'a', until: 2 })],
  borrow: [undefined, seen].map((read) => changes.borrow({ leaseId: 'me', leaseUntil: 3, ttlSeconds: 1, seen: read })),
  beginCall: [changes.beginCall({ leaseId: 'me', leaseUntil: 3, ttlSeconds: 1, seen, turns: 'c' })],
  changeTurns: [changes.changeTurns({ seen, turns: 'c' })],
} satisfies Record<MakersOf<typeof changes, SlotChange>, readonly SlotChange[]>;

const noted = { of: 'v1', generation: 1 };

/** Each change of a connection's kept values, in all its shapes. */
export const everyKeptChange = {
  takeKept: [
    kept.takeKept({ leaseId: 'me', leaseUntil: 3, seen: undefined }),
    kept.takeKept({ leaseId: 'me', leaseUntil: 3, seen: kept.NOTHING_KEPT }),
  ],
  putWaiting: [kept.putWaiting({ leaseId: 'me', ...noted, waiting: sealedToken })],
  noteRefused: [kept.noteRefused({ leaseId: 'me', refused: 'v1#1' })],
  endKept: [kept.endKept({ leaseId: 'me' }), kept.endKept({ leaseId: 'me', kept: noted, used: 'v1#1' })],
  forgiveKept: [kept.forgiveKept()],
} satisfies Record<MakersOf<typeof kept, kept.KeptChange>, readonly kept.KeptChange[]>;

/** Each change of a permit. */
export const everyPermitChange = {
  takePermit: [permit.takePermit({ holder: 'me', now: 2, until: 3 })],
  returnPermit: [permit.returnPermit({ holder: 'me' })],
} satisfies Record<MakersOf<typeof permit, permit.PermitChange>, readonly permit.PermitChange[]>;

const { NO_LOGINS } = logins;
const begun: logins.Logins = {
  ...{ revision: 1, secretVersion: 'v1', standing: 'proven', refusals: 1, notBefore: 1, ttlSeconds: 1 },
  ...{ probe: { id: 'me', until: 2 }, timedOut: { subject: 'a', at: 1, subjects: 1 } },
  ...{ failed: new Set(['1 refused me']), issued: new Set(['1 unknown me']) },
  ...{ failedCandidate: { code: 'internal', at: 1, evidence: 'none' }, rotatedAt: 1 },
};
const writeLogins = (before: logins.Logins, next: logins.Logins) => ({
  before,
  next,
  change: logins.changeLogins(before, next, 1),
});

/** Each write of a connection's logins. It leaves the record that was decided on, one revision further. */
export const everyLoginsWrite = {
  changeLogins: [writeLogins(NO_LOGINS, begun), writeLogins(begun, NO_LOGINS)],
  noteRotation: [{ before: begun, next: { ...begun, rotatedAt: 5 }, change: logins.noteRotation(begun, 5, 1) }],
} satisfies Record<MakersOf<typeof logins, logins.LoginsChange>, readonly ReturnType<typeof writeLogins>[]>;
