import { NO_LOGINS } from '../../functions/core/slot/logins.ts';
import type { RecordedLabel, Watch } from './happenings.ts';
import type { Watched } from './run.ts';

/** 31: a candidate is current only once it has brought a token. */
export function candidatesBecomeCurrentByAToken({ run, found }: Watched): Watch {
  const proposed = new Set<string>();
  return {
    label({ at, versionId, value, label }) {
      if (label === 'candidate') proposed.add(versionId);
      else if (proposed.has(versionId)) {
        const hasServed = run.world.ledger.some(
          ({ credential, issued }) => credential === value && issued !== undefined && issued.issuedAt <= at,
        );
        if (!hasServed) found(at, `${value} became current, and brought no token`);
      }
    },
  };
}

/** 31: a candidate's login leaves what is known of the current version, unless it has become that. */
export function candidatesLeaveTheCurrent({ run, connection, slot, found }: Watched): Watch {
  const { vault, ledger } = run.world;
  const proposed = new Set<string>();
  const everCurrent = new Set<string>();
  let known = NO_LOGINS;
  let begunAt = Number.NEGATIVE_INFINITY;

  /** Finds the version of a login that was made by one that is no more than a candidate. */
  function candidateOf(credential = ''): string | undefined {
    const own = vault.versionOf(connection.secret, credential) ?? '';
    return proposed.has(own) && !everCurrent.has(own) ? own : undefined;
  }

  return {
    label({ versionId, label }: RecordedLabel) {
      (label === 'candidate' ? proposed : everCurrent).add(versionId);
    },
    sent({ kind, at, credential }) {
      const own = kind === 'login' ? candidateOf(credential) : undefined;
      if (own !== undefined && known.secretVersion === own)
        found(at, `${own}, which is no more than a candidate, took a place`);
    },
    logins({ by, at, before = NO_LOGINS, after }) {
      known = after;
      if (after.probe !== undefined && after.probe.id !== before.probe?.id) begunAt = at;
      const isEnd = before.probe !== undefined && after.probe === undefined;
      // None where the login that began was not sent.
      const login = ledger.findLast(
        (sent) => sent.process === by && sent.connection === connection.name && sent.at >= begunAt && sent.at <= at,
      );
      if (!isEnd || login?.subject !== slot.subject) return;
      const own = candidateOf(login.credential);
      const isLeft = (['secretVersion', 'standing', 'refusals', 'notBefore'] as const).every(
        (field) => before[field] === after[field],
      );
      if (own !== undefined && !isLeft) found(at, `${own}, which is no more than a candidate, judged another`);
    },
  };
}
