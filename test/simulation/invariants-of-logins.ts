import { isProven, isStopped, type Logins, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { EMPTY_RECORD } from '../../functions/core/slot/record.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import type { UpstreamRequest, Watch } from './happenings.ts';
import { wayOf } from './invariants-of-writes.ts';
import type { Run, Watched } from './run.ts';
import { OPERATORS } from './simulated-process.ts';

const LOOK_MS = 10_000;
const HALF_AN_HOUR_MS = 1_800_000;
const MOST_FAILED = 4;
const MOST_REFUSED = 3;
const MOST_REFUSED_USERS = 2;
/** Bad logins in half an hour that lock the account of many an upstream. */
const LOCKING = 5;
/** How far any two clocks may be apart. */
const FAR_OFF_MS = 240_000;
const NEXT_USER_MS = 300_000;
const REACTION_MS = 60_000;
/** A year, but for what two clocks may differ. */
const KEPT_MS = 365 * 86_400_000;

/** 5: after a definite refusal no login for that slot with that version, until it is cleared or brings others a token. */
export function noLoginWithARefusedVersion({ run, found }: Watched): Watch {
  let refused: { readonly version: string; readonly at: number; excused: number }[] = [];
  const begunAt = new Map<string, number>();
  let known: Logins = NO_LOGINS;

  return {
    write({ operation, by, at, before = EMPTY_RECORD, after }) {
      if (operation === 'purge') refused = [];
      if (operation === 'acquire' || operation === 'begin') begunAt.set(by, at);
      if (operation !== 'fail' || after?.refusedVersion === undefined) return;
      if (!isProven(known, after.refusedVersion)) refused.push({ version: after.refusedVersion, at, excused: 0 });
      // A renewal that failed looked at no secret.
      if (wayOf({ before, after }) === 'renewal') return;
      const looksAt = after.notBefore - (after.failure?.at ?? 0);
      if (after.failure?.code === 'upstream_credential_rejected' && looksAt > LOOK_MS)
        found(at, `the next look at the secret is ${looksAt} ms away`);
    },
    logins({ after }) {
      known = after;
      refused = refused.filter(({ version }) => !isProven(after, version));
    },
    sent(request) {
      const { kind, at, process } = request;
      if (kind !== 'login') return;
      const version = versionOf(run, request);
      for (const refusal of refused) {
        if (refusal.version !== version || refusal.at >= at) continue;
        // Beyond the bound of clocks another may take the lease and be refused while its holder is at work: no
        // condition on the table can call back what was begun. That costs one extra login at worst.
        const isBegunBefore = (begunAt.get(process) ?? at) < refusal.at;
        if (!run.scenario.isWithinSkew && isBegunBefore) refusal.excused += 1;
        if (run.scenario.isWithinSkew || !isBegunBefore || refusal.excused > 1)
          found(at, `a login with ${version}, refused before`);
      }
    },
  };
}

/** 5: nothing begins with a version that its sender had read to be refused. */
export function refusalsStopTheConnection({ run, connection, slot, found }: Watched): Watch {
  return {
    sent(request) {
      const { kind, at, loginsRead = NO_LOGINS } = request;
      const secretVersion = versionOf(run, request) ?? '';
      const applicant = { secretVersion, isSystem: slot.subject === SYSTEM, hasSystem: connection.subjects.system };
      // By a clock that says that the time between two users is over.
      if (kind === 'login' && isStopped(loginsRead, applicant, at + NEXT_USER_MS + FAR_OFF_MS))
        found(at, `a login with ${secretVersion}, which is refused`);
    },
  };
}

/**
 * 5: a version that is not proven is refused to two users and to `system` at most, until an operator clears it. A
 * refusal whose process died, or whose write failed, is known to nobody: invariant 22 counts that one.
 */
export function unprovenVersionsAreRefusedThrice({ run, connection, found }: Watched): Watch {
  const written = new Set<UpstreamRequest>();
  let clearedAt = 0;
  return {
    logins({ by, at, before, after }) {
      if (by === OPERATORS) {
        clearedAt = at;
        return;
      }
      // The same process may write that its next login begins.
      const isEnd = [...after.failed].some((mark) => mark.includes(' refused ') && !before?.failed.has(mark));
      if (!isEnd) return;
      const login = run.world.ledger.findLast(
        ({ process, connection: name, at: sentAt }) => process === by && name === connection.name && sentAt <= at,
      );
      if (login !== undefined && hasEnded(login, at)) written.add(login);
    },
    sent(request) {
      if (request.kind !== 'login' || isFree(run, request)) return;
      const version = versionOf(run, request);
      const refused = gatedLoginsBefore(run, request).filter(
        (each) =>
          each.at > clearedAt &&
          each.backOff === 'refused' &&
          !isSpent(each.outcome) &&
          written.has(each) &&
          versionOf(run, each) === version,
      );
      const users = refused.filter(({ subject }) => subject !== SYSTEM).length;
      const isOver = request.subject === SYSTEM ? refused.length >= MOST_REFUSED : users >= MOST_REFUSED_USERS;
      if (isOver) found(request.at, `a login with ${version} after ${refused.length} were refused`);
    },
  };
}

/** 5 and 25: what is known of a version rests on evidence, and no failed login is forgotten while it counts. */
export function loginsAreCounted({ run, connection, slot, found }: Watched): Watch {
  return {
    logins({ by, at, before, after }) {
      const login = run.world.ledger.findLast(
        (sent) => sent.process === by && sent.connection === connection.name && sent.at <= at,
      );
      if (login === undefined ? slot.subject !== SYSTEM : login.subject !== slot.subject) return;
      const isCounting = (mark: string) => Number(mark.split(' ')[0]) > at - HALF_AN_HOUR_MS + FAR_OFF_MS;
      const own = run.world.vault.versionOf(connection.secret, login?.credential ?? '');
      const lost = [...(before?.failed ?? [])].filter((mark) => isCounting(mark) && !after.failed.has(mark));
      if (lost.length > 1) found(at, `${lost.length} failed logins were forgotten`);
      if (after.ttlSeconds * 1000 < at + KEPT_MS) found(at, 'what is known of a version may be forgotten early');
      const isSame = before?.secretVersion === after.secretVersion;
      if (!isSame || before.standing === after.standing) return;
      const { standing, secretVersion } = after;
      if (standing !== 'unproven' && own !== secretVersion) found(at, `a login with ${own} judged ${secretVersion}`);
      if (standing === 'proven' && login?.issued === undefined)
        found(at, `${secretVersion} was proven without a token`);
      const hasServed = run.world.ledger.some(
        ({ subject, credential, issued, at: sentAt }) =>
          sentAt < (login?.at ?? at) &&
          subject === login?.subject &&
          issued !== undefined &&
          credential === login.credential,
      );
      if (standing === 'refused' && slot.subject !== SYSTEM && !hasServed)
        found(at, `${slot.subject}, whom ${secretVersion} never served, stops everybody`);
    },
  };
}

/** 29: reactions to new versions are a minute apart. */
export function reactionsAreAMinuteApart({ slot, run, connection, found }: Watched): Watch {
  const [first] = run.scenario.subjects[connection.name] ?? [];
  return {
    logins({ at, before, after }) {
      if (slot.subject !== first || before === undefined || before.rotatedAt === after.rotatedAt) return;
      const apartMs = after.rotatedAt - before.rotatedAt;
      if (apartMs < REACTION_MS) found(at, `two reactions come ${apartMs} ms apart`);
    },
  };
}

/** 21: with a version that is not proven there is one login at a time, over all slots of the connection. */
export function unprovenVersionsGoOneAtATime({ run, found }: Watched): Watch {
  return {
    sent(request) {
      if (request.kind !== 'login' || isFree(run, request)) return;
      const other = gatedLoginsBefore(run, request).find(
        (each) => !hasEnded(each, request.at) && request.at < each.at + each.timeoutMs,
      );
      if (other !== undefined)
        found(request.at, `${request.process} logs in while ${other.process} tries the credential`);
    },
  };
}

/** 22: of logins with unproven versions at most four in half an hour may have failed, and at most three were refused. */
export function failedLoginsAreFew({ run, found }: Watched): Watch {
  return {
    sent(request) {
      const { kind, at } = request;
      if (kind !== 'login' || isFree(run, request)) return;
      const before = gatedLoginsBefore(run, request).filter((each) => each.at > at - HALF_AN_HOUR_MS);
      const ended = before.filter((each) => hasEnded(each, at));
      const refused = ended.filter(
        ({ backOff, outcome }) => (backOff === 'refused' || backOff === 'locked') && !isSpent(outcome),
      ).length;
      const failed = before.length - ended.length + ended.filter(mayHaveFailed).length;
      if (refused >= MOST_REFUSED) found(at, `a login after ${refused} were refused in half an hour`);
      if (failed >= MOST_FAILED) found(at, `a login after ${failed} may have failed in half an hour`);
    },
  };
}

/** 24: an account that five bad logins in half an hour lock is never locked by versions that were not proven. */
export function theAccountIsNotLocked({ run, slot, connection, found }: Watched): Watch {
  const bad: number[] = [];
  const [first] = run.scenario.subjects[connection.name] ?? [];
  return {
    counted({ request, at }) {
      if (slot.subject !== first || isFree(run, request)) return;
      bad.push(at);
      const inHalfAnHour = bad.filter((each) => each > at - HALF_AN_HOUR_MS).length;
      if (inHalfAnHour >= LOCKING) found(at, `the account is locked by ${inHalfAnHour} bad logins`);
    },
  };
}

/** The logins of the same connection before this one that were made although their version was not proven. */
function gatedLoginsBefore(run: Run, request: UpstreamRequest): UpstreamRequest[] {
  const { ledger } = run.world;
  return ledger
    .slice(0, ledger.indexOf(request))
    .filter((each) => each.kind === 'login' && each.connection === request.connection && !isFree(run, each));
}

/** Reports whether a login's sender had read that its version is proven. */
function isFree(run: Run, request: UpstreamRequest): boolean {
  const { loginsRead } = request;
  return loginsRead !== undefined && isProven(loginsRead, versionOf(run, request) ?? '');
}

function versionOf({ scenario, world }: Run, { connection: name, credential }: UpstreamRequest): string | undefined {
  const connection = scenario.connections.find((each) => each.name === name);
  return world.vault.versionOf(connection?.secret ?? '', credential ?? '');
}

/** A refresh token that was refused is no bad login, and is not sent again (invariant 19). */
function isSpent(outcome: UpstreamRequest['outcome']): boolean {
  return outcome === 'reauthorization_required';
}

function hasEnded({ endedAt }: UpstreamRequest, at: number): boolean {
  return endedAt !== undefined && endedAt <= at;
}

/** The upstream may have counted it: it was refused, or its outcome is unknown. */
function mayHaveFailed({ backOff, outcome }: UpstreamRequest): boolean {
  return backOff !== undefined && backOff !== 'not_judged' && backOff !== 'misconfigured' && !isSpent(outcome);
}

/** What is known of logins, in short. */
export function describeLogins({ secretVersion, standing, refusals, probe, failed }: Logins): string {
  return `${secretVersion} ${standing}, ${refusals} refusals, ${failed.size} failed${probe === undefined ? '' : `, ${probe.id}`}`;
}
