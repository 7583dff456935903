import type { Random } from '../words/platform.ts';
import { backOffMs } from './back-off.ts';
import type { Change } from './change.ts';
import { extendTtl } from './item-end.ts';
import { createMark, type FailureKind, idOf, kindOf, recent, timeOf, whenBelow } from './login-marks.ts';
import type { Limits } from './provider.ts';
import type { RecordedFailure } from './record.ts';
import { CLOCK_SKEW_MS } from './token.ts';

/**
 * Knowledge of a secret version. `proven`: it has brought a token, and nobody who had one with it, nor `system`, was
 * refused since. `refused`: somebody of these was. `unproven`: neither.
 */
export type Standing = 'unproven' | 'proven' | 'refused';

/** The logins of a connection, one item each: all that one slot must know of the logins of the others. */
export interface Logins {
  /** Counts the writes. Each holds only if nothing was written since it was read. */
  readonly revision: number;
  /** The secret version that `standing` and `refusals` are about; empty before the first login. */
  readonly secretVersion: string;
  readonly standing: Standing;
  /** Users' logins that were refused under a version that is unproven. */
  readonly refusals: number;
  /** The login under way with a version that is not proven, or while the breaker is open: one at a time. */
  readonly probe?: { readonly id: string; readonly until: number } | undefined;
  /** Back-off after a login of unknown outcome, or after a time-out that opened the breaker; epoch milliseconds. */
  readonly notBefore: number;
  /**
   * Logins with a proven version that timed out since the upstream last answered one: subject and time of the last, and
   * the number of their subjects as `breaker.ts` counts them.
   */
  readonly timedOut?: { readonly subject: string; readonly at: number; readonly subjects: number } | undefined;
  /** Logins that the upstream may have counted as failed, as `createMark` writes them. */
  readonly failed: ReadonlySet<string>;
  /** Logins that count against `limits.tokens`, as `createMark` writes them. */
  readonly issued: ReadonlySet<string>;
  /** The last candidate that was sent and did not become current, until a new version does. */
  readonly failedCandidate?: RecordedFailure | undefined;
  /** Time at which the last reaction to a new version took effect, or will; epoch milliseconds. */
  readonly rotatedAt: number;
  /** Time from which the store may delete the item; epoch seconds. */
  readonly ttlSeconds: number;
}

/** A write to the item of a connection's logins. */
export type LoginsChange = Change<Logins>;

export const NO_LOGINS: Logins = {
  revision: 0,
  secretVersion: '',
  standing: 'unproven',
  refusals: 0,
  notBefore: 0,
  failed: new Set(),
  issued: new Set(),
  rotatedAt: 0,
  ttlSeconds: 0,
};

/** Slot that wants to log in with a version. */
export interface Applicant {
  readonly secretVersion: string;
  readonly isSystem: boolean;
  /** The connection serves `system` too. */
  readonly hasSystem: boolean;
}

/** A login that wants to begin, or has. */
export interface Login extends Applicant {
  /** Id of the lease that it is made under. */
  readonly id: string;
  readonly subject: string;
  /** The slot has a token that this version brought, or it is `system`: its refusal is the credential's. */
  readonly isEvidence: boolean;
  /** End of the lease that it is made under; epoch milliseconds. */
  readonly until: number;
  readonly limit: Limits['tokens'] | undefined;
  /**
   * Set while an operator tries a version that is not current: it counts as any login, and what is known of the current
   * version stays. `current`: it has become that.
   */
  readonly candidate?: 'tried' | 'current' | undefined;
}

/** Answer to a login that wants to begin. With `next`, that is to be written first. */
export type Admission =
  | { readonly may: 'begin'; readonly next?: Logins }
  /** Another login is proving the version, or tries whether the upstream answers again. */
  | { readonly may: 'wait' }
  /** The version is refused. */
  | { readonly may: 'not begin' }
  /** One more failed login might lock the account, the provider's limit is reached, or the breaker is open. */
  | { readonly may: 'begin later'; readonly at: number; readonly why: 'failures' | 'limit' | 'time-outs' };

/** Result of a login: what the upstream may have counted. */
export type Counted =
  | 'token'
  | 'refused'
  | 'locked'
  /** It may have been refused: no answer, or one that does not say. */
  | 'unknown'
  /** The upstream refused the subject, and the credential perhaps. */
  | 'subject'
  /** Nothing was sent, or nothing was judged. */
  | 'nothing';

/** Time for which a failed login counts. Accounts lock over thirty minutes, and clocks differ. */
export const FAILED_COUNT_MS = 1_800_000 + CLOCK_SKEW_MS;
/** Most logins in that time that may have failed: one less than what locks an account. Users have one less still. */
const MOST_FAILED = { system: 4, user: 3 } as const;
/** Most logins in that time that were refused, or may have been: nobody came back to tell. */
const MOST_REFUSED = 3;
/** Users' refusals that stop an unproven version, so that the next version has one left. */
const USER_REFUSALS_THAT_STOP = 2;
/** Time between these two, in which `system` may prove the version, or an operator mend it. */
const NEXT_USER_MS = 300_000;
const LOCKED_MS = 1_800_000;
/** Count of subjects with logins that timed out at which the breaker opens. */
export const SUBJECTS_THAT_OPEN = 2;
/** Long enough for a version to stay proven while nothing is written. */
const LOGINS_KEPT_SECONDS = 366 * 86_400;

/** Reports whether logins with a version need no leave: they run side by side. */
export function isProven({ secretVersion, standing }: Logins, version: string): boolean {
  return secretVersion === version && standing === 'proven';
}

/**
 * Reports whether the breaker is open: logins of two subjects timed out, and the upstream has answered none since. One
 * login at a time is let through then, to try whether it answers.
 */
export function isOpen({ timedOut }: Logins): boolean {
  return timedOut !== undefined && timedOut.subjects >= SUBJECTS_THAT_OPEN;
}

/** Reports whether this refusal is the subject's own: the version has brought others a token, and never this one. */
export function isOfSubject(seen: Logins, { secretVersion, isEvidence }: Login): boolean {
  return isProven(seen, secretVersion) && !isEvidence;
}

/**
 * Reports whether a slot may not log in with a version. Nobody may once `system` was refused, or somebody whom it had
 * served; no user once two users were, nor right after the first where `system` may show more. Nor may `system` once
 * three users were: a process that was frozen can make it so many.
 */
export function isStopped(seen: Logins, { secretVersion, isSystem, hasSystem }: Applicant, now: number): boolean {
  if (seen.secretVersion !== secretVersion || seen.standing !== 'unproven') return isRefused(seen, secretVersion);
  if (isSystem) return seen.refusals >= MOST_REFUSED;
  if (seen.refusals === 0) return false;
  const since = now - NEXT_USER_MS;
  const isRecent = [...seen.failed].some((mark) => kindOf(mark) === 'refused' && timeOf(mark) > since);
  return seen.refusals >= USER_REFUSALS_THAT_STOP || (hasSystem && isRecent);
}

/** Reports whether it is known what a version is worth. */
export function isJudged({ secretVersion, standing }: Logins, version: string): boolean {
  return secretVersion === version && standing !== 'unproven';
}

function isRefused({ secretVersion, standing }: Logins, version: string): boolean {
  return secretVersion === version && standing === 'refused';
}

/** Decides whether a login may begin. What is written counts it as failed, in case nobody comes back to tell. */
export function admitLogin(seen: Logins, login: Login, now: number, random: Random): Admission {
  const { id, secretVersion, isSystem, until, limit, candidate } = login;
  if (isStopped(seen, login, now)) return { may: 'not begin' };
  const isProvenOne = isProven(seen, secretVersion);
  const isFree = isProvenOne && !isOpen(seen);
  if (!isFree && seen.probe !== undefined && seen.probe.until > now) return { may: 'wait' };
  // The upstream counts a login when it has come, by its own clock.
  const limitedMs = limit === undefined ? 0 : limit.perSeconds * 1000 + CLOCK_SKEW_MS;
  const issued = recent(seen.issued, now - limitedMs);
  const limitedUntil = limit === undefined ? 0 : whenBelow(limit.count, issued) + limitedMs;
  if (limitedUntil > now) return { may: 'begin later', at: limitedUntil, why: 'limit' };
  const counted =
    limit === undefined ? seen : { ...seen, issued: new Set([...issued, createMark(now, 'unknown', id)]) };
  if (isFree) return limit === undefined ? { may: 'begin' } : { may: 'begin', next: counted };
  const probe = { id, until };
  if (isProvenOne) {
    if (seen.notBefore > now) return { may: 'begin later', at: seen.notBefore, why: 'time-outs' };
    return { may: 'begin', next: { ...counted, probe, notBefore: until } };
  }

  const isSame = seen.secretVersion === secretVersion;
  const failed = recent(seen.failed, now - FAILED_COUNT_MS);
  // One whose end nobody wrote down may have been refused: its process crashed, or the store failed.
  const refused = failed.filter((mark) => kindOf(mark) !== 'unknown');
  const locked = failed.filter((mark) => kindOf(mark) === 'locked');
  const at = Math.max(
    whenBelow(MOST_FAILED[isSystem ? 'system' : 'user'], failed) + FAILED_COUNT_MS,
    whenBelow(MOST_REFUSED, refused) + FAILED_COUNT_MS,
    // Whatever the version: a new one at a locked account may keep it locked.
    whenBelow(1, locked) + LOCKED_MS,
    isSame ? seen.notBefore : 0,
  );
  if (at > now) return { may: 'begin later', at, why: 'failures' };
  const next: Logins = {
    ...counted,
    ...(isSame || candidate !== undefined ? {} : startOf(secretVersion)),
    probe,
    ...(candidate === undefined && {
      notBefore: Math.max(until, now + unknownBackOffMs(failed.length + 1, random)),
    }),
    failed: new Set([...failed, createMark(until, 'begun', id)]),
  };
  return { may: 'begin', next };
}

/** Begins what is known of a version that is new. */
function startOf(secretVersion: string): Pick<Logins, 'secretVersion' | 'standing' | 'refusals' | 'failedCandidate'> {
  return { secretVersion, standing: 'unproven', refusals: 0, failedCandidate: undefined };
}

/** Reports whether it is written down that a login has begun. */
export function hasBegun({ probe, issued }: Logins, id: string): boolean {
  return probe?.id === id || [...issued].some((mark) => idOf(mark) === id);
}

/** Computes what is known once a login has ended. Returns the same record if there is nothing to write. */
export function endLogin(seen: Logins, login: Login, counted: Counted, now: number, random: Random): Logins {
  const { id, secretVersion, isEvidence, isSystem, until, candidate } = login;
  const isOwn = seen.probe?.id === id;
  // Its end is not written yet. Its probe may have lapsed and be another's by now.
  const isOpen = [...seen.failed].some((mark) => idOf(mark) === id && kindOf(mark) === 'begun');
  const isAbout = seen.secretVersion === secretVersion;
  const failed = [...seen.failed].filter((mark) => idOf(mark) !== id);
  const marked = (kind: FailureKind, at: number) => new Set([...failed, createMark(at, kind, id)]);
  const ended: Logins = {
    ...seen,
    failed: new Set(failed),
    ...(isOwn && { probe: undefined }),
    ...(isOwn && candidate === undefined && { notBefore: 0 }),
    ...(counted === 'nothing' && { issued: new Set([...seen.issued].filter((mark) => idOf(mark) !== id)) }),
  };
  switch (counted) {
    case 'token':
      // Whatever began since then with another version is later.
      if (candidate === 'current' && isOwn)
        return { ...ended, ...startOf(secretVersion), standing: 'proven', notBefore: 0 };
      if (isAbout && (isOwn || seen.standing === 'unproven')) return { ...ended, standing: 'proven', refusals: 0 };
      // Once proven, a success tells nothing new.
      return isOpen ? ended : seen;
    case 'refused': {
      if ([...seen.failed].some((mark) => idOf(mark) === id && kindOf(mark) === 'refused')) return seen;
      const noted = { ...ended, failed: marked('refused', now) };
      if (!isAbout) return noted;
      if (isEvidence) return { ...noted, standing: 'refused' };
      if (isOfSubject(seen, login)) return isOwn ? ended : seen;
      return { ...noted, refusals: seen.refusals + (isSystem ? 0 : 1) };
    }
    case 'locked':
      return isOpen ? { ...ended, failed: marked('locked', now) } : seen;
    case 'unknown':
      if (!isOpen) return seen;
      return {
        ...ended,
        failed: marked('unknown', until),
        ...(isOwn && candidate === undefined && { notBefore: now + unknownBackOffMs(failed.length + 1, random) }),
      };
    case 'subject':
      return isOpen ? { ...ended, failed: marked('unknown', until) } : seen;
    case 'nothing':
      return isOpen || ended.issued.size < seen.issued.size ? ended : seen;
  }
}

/**
 * Forgets refusals, a lock, time-outs and the back-off, on an operator's word. Returns the same record if there are
 * none. Failed logins still count, since the account may lock all the same.
 */
export function forgetRefusals(seen: Logins, now: number): Logins {
  const { standing, refusals, notBefore, probe, timedOut } = seen;
  const isProbing = probe !== undefined && probe.until > now;
  const isBackingOff = !isProbing && notBefore > now;
  const failed = [...seen.failed].map((mark) => mark.replace(' locked ', ' refused '));
  const isLocked = failed.some((mark) => !seen.failed.has(mark));
  const isToForget = standing === 'refused' || refusals > 0 || isBackingOff || isLocked || timedOut !== undefined;
  if (!isToForget) return seen;
  return {
    ...seen,
    standing: standing === 'refused' ? 'unproven' : standing,
    failed: new Set(failed),
    refusals: 0,
    timedOut: undefined,
    notBefore: isBackingOff ? 0 : notBefore,
  };
}

/** Writes the item as `next` has it, if nothing was written since it was read. */
export const changeLogins = (seen: Logins, next: Logins, now: number): LoginsChange => {
  const { revision: _, probe, timedOut, failed, issued, failedCandidate, ...values } = next;
  return {
    name: 'changeLogins',
    onlyIf: [{ field: 'revision', is: seen.revision }],
    set: {
      ...values,
      ttlSeconds: extendTtl(seen.ttlSeconds, now, LOGINS_KEPT_SECONDS),
      probe,
      timedOut,
      failedCandidate,
      // DynamoDB has no empty sets.
      failed: failed.size > 0 ? failed : undefined,
      issued: issued.size > 0 ? issued : undefined,
    },
    add: { revision: 1 },
    clear: [
      ...(probe === undefined ? (['probe'] as const) : []),
      ...(timedOut === undefined ? (['timedOut'] as const) : []),
      ...(failedCandidate === undefined ? (['failedCandidate'] as const) : []),
      ...(failed.size > 0 ? [] : (['failed'] as const)),
      ...(issued.size > 0 ? [] : (['issued'] as const)),
    ],
  };
};

/** Notes that a reaction to a new version takes effect at `at`, if the last one is as it was read. */
export const noteRotation = ({ rotatedAt, ttlSeconds }: Logins, at: number, now: number): LoginsChange => ({
  name: 'noteRotation',
  onlyIf: [{ field: 'rotatedAt', is: rotatedAt }],
  set: { rotatedAt: at, ttlSeconds: extendTtl(ttlSeconds, now, LOGINS_KEPT_SECONDS) },
  add: { revision: 1 },
});

function unknownBackOffMs(failures: number, random: Random): number {
  return backOffMs('unknown', failures, random);
}
