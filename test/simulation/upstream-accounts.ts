import type { Connection } from '../../functions/core/slot/connection.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { RotatingGrants } from './rotating-grants.ts';

/** The rules of one upstream. A test may change them at any time. Times are in milliseconds unless named otherwise. */
export interface UpstreamRules {
  /** Credentials that it takes. */
  readonly accepted: Set<string>;
  /** Subjects that it does not know: it refuses their logins with any credential. */
  readonly unknown: Set<string>;
  lifeSeconds: number;
  /** The end of a token in its answer: `exp` beside the server's `Date`, `exp` alone, a fixed life, or nothing. */
  says: 'exp_and_date' | 'exp' | 'fixed' | 'nothing';
  canSlide: boolean;
  /** A new token ends those that the subject had before. */
  singleSession: boolean;
  /** A login before the end of a subject's token gives that token again, until the same end. */
  reissues: boolean;
  /** Wrong logins within thirty minutes that lock the account; absent: never. */
  lockedAfter: number | undefined;
  lockedForMs: number;
  /** The lead of its clock over true time. */
  clockOffsetMs: number;
  /** The lead of the `Date` of its answers over its clock. */
  dateOffsetMs: number;
}

/** Time for which a wrong login counts, whatever comes between. */
const WRONG_COUNT_MS = 1_800_000;

/** The rules of an upstream that fits the connection; the credential `right` is the one it takes. */
export function rulesFor(connection: Connection): UpstreamRules {
  const isFixed = connection.lifetimeSeconds !== undefined;
  return {
    accepted: new Set(['right']),
    unknown: new Set(),
    lifeSeconds: connection.lifetimeSeconds ?? 86_400,
    says: isFixed ? 'fixed' : 'exp_and_date',
    canSlide: connection.settings['keepAlivePath'] !== undefined,
    singleSession: false,
    reissues: false,
    lockedAfter: undefined,
    lockedForMs: 1_800_000,
    clockOffsetMs: 0,
    dateOffsetMs: 0,
  };
}

/** A token that an upstream issued, as that upstream knows it. True times, epoch milliseconds. */
export interface IssuedToken {
  readonly value: string;
  readonly hash: string;
  readonly connection: string;
  readonly subject: string;
  readonly issuedAt: number;
  /** The time from which the upstream rejects it. Infinite if it never does. */
  readonly endsAt: number;
  readonly sessionStartedAt: number;
  readonly source: 'login' | 'slide';
  /** The time of its early end. */
  endedEarlyAt?: number;
}

/** The verdict of an upstream on a login. */
export type LoginVerdict =
  | {
      readonly issued: IssuedToken;
      /** The next refresh token, where it rotates. */
      readonly next?: string;
    }
  | { readonly refused: 'credential' | 'subject' | 'locked' | 'grant' };

/** One upstream: who may log in, and which tokens are good. */
export interface UpstreamAccounts {
  readonly rules: UpstreamRules;
  /** The grants, where the credential is a refresh token that rotates. */
  readonly grants?: RotatingGrants;
  login(subject: string, credential: string): LoginVerdict;
  /** The next token, or undefined where the current one is dead: 401. */
  slide(subject: string, current: string): IssuedToken | undefined;
  /** Ends a token; false where it was dead already: 401. */
  logout(current: string): boolean;
  isAlive(hash: string, at: number): boolean;
  find(hash: string): IssuedToken | undefined;
  /** Ends every token of a subject before its time, or of all subjects. */
  revoke(subject?: string): void;
  unlock(): void;
  readonly issued: readonly IssuedToken[];
}

/** Creates the upstream of one connection. */
export function createUpstreamAccounts(
  connection: string,
  now: () => number,
  rules: UpstreamRules,
  serial: () => string,
  grants?: RotatingGrants,
): UpstreamAccounts {
  const issued: IssuedToken[] = [];
  const byHash = new Map<string, IssuedToken>();
  let wrong: readonly number[] = [];
  let lockedUntil = 0;

  function issue(subject: string, source: IssuedToken['source'], sessionStartedAt: number): IssuedToken {
    const next = `${connection}.${subject}.${serial()}`;
    const again = rules.reissues
      ? issued.findLast((each) => each.subject === subject && isAlive(each.hash, now()))
      : undefined;
    const value = again?.value ?? next;
    const token: IssuedToken = {
      value,
      hash: hashOf(new Secret(value)),
      connection,
      subject,
      issuedAt: now(),
      endsAt: again?.endsAt ?? endOf(rules, now()),
      sessionStartedAt,
      source,
    };
    issued.push(token);
    byHash.set(token.hash, token);
    return token;
  }

  function isAlive(hash: string, at: number): boolean {
    const token = byHash.get(hash);
    return token !== undefined && at < token.endsAt && (token.endedEarlyAt === undefined || at < token.endedEarlyAt);
  }

  function revoke(subject?: string): void {
    for (const token of issued) {
      if ((subject === undefined || token.subject === subject) && isAlive(token.hash, now()))
        token.endedEarlyAt = now();
    }
  }

  return {
    rules,
    ...(grants !== undefined && { grants }),
    issued,
    isAlive,
    revoke,
    find: (hash) => byHash.get(hash),
    unlock() {
      lockedUntil = 0;
      wrong = [];
    },
    login(subject, credential) {
      if (grants !== undefined) {
        const sent = refreshTokenIn(credential) ?? '';
        const next = grants.use(sent);
        if (next === undefined) return { refused: 'grant' };
        return { issued: issue(subject, 'login', now()), ...(next !== sent && { next }) };
      }
      if (now() < lockedUntil) return { refused: 'locked' };
      if (!rules.accepted.has(credential)) {
        wrong = [...wrong.filter((at) => at > now() - WRONG_COUNT_MS), now()];
        if (rules.lockedAfter !== undefined && wrong.length >= rules.lockedAfter) {
          lockedUntil = now() + rules.lockedForMs;
          wrong = [];
        }
        return { refused: 'credential' };
      }
      if (rules.unknown.has(subject)) return { refused: 'subject' };
      if (rules.singleSession) revoke(subject);
      return { issued: issue(subject, 'login', now()) };
    },
    slide(subject, current) {
      const token = byHash.get(hashOf(new Secret(current)));
      if (token === undefined || token.subject !== subject || !isAlive(token.hash, now())) return undefined;
      if (rules.singleSession) revoke(subject);
      return issue(subject, 'slide', token.sessionStartedAt);
    },
    logout(current) {
      const token = byHash.get(hashOf(new Secret(current)));
      if (token === undefined || !isAlive(token.hash, now())) return false;
      token.endedEarlyAt = now();
      return true;
    },
  };
}

/** The upstream counts in whole seconds of its own clock. */
function endOf({ says, lifeSeconds, clockOffsetMs }: UpstreamRules, now: number): number {
  if (says === 'nothing') return Number.POSITIVE_INFINITY;
  if (says === 'fixed') return now + lifeSeconds * 1000;
  return (Math.floor((now + clockOffsetMs) / 1000) + lifeSeconds) * 1000 - clockOffsetMs;
}

/** The credential of a connection whose refresh token rotates, as its secret has it. */
export function secretOf(refreshToken: string): string {
  return JSON.stringify({ clientId: 'client', clientSecret: 'right', refreshToken });
}

/** The refresh token in a credential; undefined where there is none. */
export function refreshTokenIn(credential: string): string | undefined {
  if (!credential.startsWith('{')) return undefined;
  // It is one of `secretOf`, perhaps with another refresh token put in.
  return (JSON.parse(credential) as { readonly refreshToken?: string }).refreshToken;
}
