import { type Logins, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import type { LoginsWrite } from '../simulation/memory-table.ts';
import type { Plan, Process } from './plan.ts';

/** End of a login as the upstream knows it; undefined while it has none, or its process died at it. */
export type Result = 'token' | 'refused' | 'unknown' | undefined;

/** A login that was sent. */
interface Sent {
  readonly subject: string;
  readonly version: string;
  readonly at: number;
  /** Time until which it can be in flight. */
  readonly until: number;
  /** Its sender had read that the version is proven. */
  readonly isFree: boolean;
  result: Result;
  /** Its refusal was written down. */
  isWritten: boolean;
}

const HALF_AN_HOUR_MS = 1_800_000;
const MOST_FAILED = 4;
const MOST_REFUSED = 3;
const MOST_REFUSED_USERS = 2;

/**
 * Creates the check of the gate of logins, over all slots of the connection (invariants 5, 21, 22, 24 and 25), against
 * each step of a small world with several subjects. It knows what was sent, and none of the gate's rules.
 */
export function createGateProperties(
  { start, subjects }: Plan,
  now: () => number,
  found: (invariant: string, what: string) => void,
) {
  const sent: Sent[] = [];
  const lastOf = new Map<Process, Sent>();
  const readBy = new Map<Process, Logins>();
  const marks = [...(start?.logins?.failed ?? [])].map((mark) => mark.split(' '));
  const provenVersions = new Set(start?.logins?.standing === 'proven' ? [start.logins.secretVersion] : []);
  const served = new Set(start?.record?.token === undefined ? [] : [start.record.token.secretVersion]);

  const countOfMarks = (kinds: readonly string[]) =>
    marks.filter(([at, kind = '']) => Number(at) > now() - HALF_AN_HOUR_MS && kinds.includes(kind)).length;
  const recent = () => sent.filter(({ at, isFree }) => !isFree && at > now() - HALF_AN_HOUR_MS);
  const countOf = (...results: readonly Result[]) => recent().filter(({ result }) => results.includes(result)).length;

  function check(process: Process, login: Sent, seen: Logins): void {
    const { name } = process;
    const { version, subject } = login;
    if (seen.secretVersion === version && seen.standing === 'refused')
      found('5', `${name} logs in with a version that it read to be refused`);
    if (login.isFree) return;
    const rival = recent().find(({ result, until }) => result === undefined && now() < until);
    if (rival !== undefined) found('21', `${name} logs in while ${rival.subject} tries the version`);
    const refused = countOf('refused') + countOfMarks(['refused', 'begun', 'locked']);
    if (refused >= MOST_REFUSED) found('22', `${name} logs in after ${refused} were refused`);
    const failed = countOf('refused', 'unknown', undefined) + countOfMarks(['refused', 'begun', 'locked', 'unknown']);
    if (failed >= MOST_FAILED) found('22', `${name} logs in after ${failed} may have failed`);
    const isSame = start?.logins?.secretVersion === version;
    const refusedUsers = recent().filter(
      (each) => each.isWritten && each.version === version && each.subject !== SYSTEM,
    );
    const users = refusedUsers.length + (isSame ? (start?.logins?.refusals ?? 0) : 0);
    if (subject !== SYSTEM && users >= MOST_REFUSED_USERS)
      found('5', `${name} logs in with a version that ${users} users were refused`);
  }

  return {
    /** Notes what a process was told, before any of it is hidden. */
    hasRead(process: Process, logins: Logins = NO_LOGINS): void {
      readBy.set(process, logins);
    },

    /** Checks a login as it begins; its end is to be told. */
    sent(process: Process, version: string, timeoutMs: number): { ended(result: Result): void } {
      if (subjects === undefined) return { ended() {} };
      const seen = readBy.get(process) ?? NO_LOGINS;
      const isFree = seen.secretVersion === version && provenVersions.has(version);
      const { subject } = process.slot;
      const login: Sent = {
        ...{ subject, version, at: now(), until: now() + timeoutMs, isFree },
        ...{ result: undefined, isWritten: false },
      };
      check(process, login, seen);
      sent.push(login);
      lastOf.set(process, login);
      return {
        ended(result) {
          login.result = result;
        },
      };
    },

    written(by: Process, { before = NO_LOGINS, after }: LoginsWrite): void {
      if (subjects === undefined) return;
      const { standing, secretVersion: version } = after;
      const login = lastOf.get(by);
      if (login?.result === 'refused') login.isWritten = true;
      const isNews = standing !== before.standing || version !== before.secretVersion;
      if (!isNews || standing === 'unproven') return;
      const isOwn = login?.version === version;
      if (standing === 'proven') {
        if (!isOwn || login.result !== 'token') found('25', `${by.name} takes a version for proven without a token`);
        provenVersions.add(version);
        return;
      }
      const isEvidence = by.slot.subject === SYSTEM || served.has(version);
      if (!isOwn || login.result !== 'refused' || !isEvidence)
        found('25', `${by.name} stops everybody on the word of a slot that the version never served`);
    },

    /** Checks that each login that may have failed is counted, so that whoever comes next sees it. */
    stepped({ failed, secretVersion, standing }: Logins = NO_LOGINS): void {
      if (subjects === undefined || standing === 'proven') return;
      const isCounted = ([at]: readonly string[]) => Number(at) > now() - HALF_AN_HOUR_MS;
      const counted = [...failed].filter((mark) => isCounted(mark.split(' '))).length;
      const due = countOf('refused', 'unknown', undefined) + marks.filter(isCounted).length;
      if (counted < due)
        found('22', `${due} logins may have failed, and ${counted} are counted under ${secretVersion}`);
    },

    /** Lists what is remembered, as far as it can matter from here on. */
    listState: (): unknown => [sent, [...provenVersions]],
  };
}
