import { expiresAtOf, isRejected, type SlotRecord } from '../../functions/core/slot/record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/slot/token.ts';
import type { Answer, AuditEntry, RecordedWrite, Watch } from './happenings.ts';
import type { Watched } from './run.ts';
import { DECISION_MS, recordAt, wasFrozen } from './run.ts';
import type { IssuedToken } from './upstream-accounts.ts';

/** An upstream's clock is told in whole seconds. */
const DATE_PRECISION_MS = 1_000;
/** How long an answer may take: what a caller's function has. */
const ANSWER_MS = 24_000;
/** Errors that a good token does not forbid: it must not be handed out unrecorded, nor where it ends with the next. */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['audit_unavailable', 'handout_disabled']);

/** 1: every hand-out is usable, by the upstream's own reckoning too, unless the upstream ended it early. */
export function everyHandOutIsUsable(watched: Watched): Watch {
  return watchHandOuts(watched, ({ answer, issued, at }) => {
    if (issued === undefined || wasFrozen(watched.run, answer)) return;
    if (issued.endedEarlyAt !== undefined && issued.endedEarlyAt <= at) return;
    const wantedSeconds = Math.max(watched.connection.minTtlSeconds, answer.request.minTtlSeconds ?? 0);
    const leftMs = issued.endsAt - at;
    if (leftMs >= wantedSeconds * 1000 - DECISION_MS - DATE_PRECISION_MS) return;
    watched.found(at, `${nameOf(answer)} got a token with ${leftMs} ms to go, wanted ${wantedSeconds} s`);
  });
}

/** 2: a token without expiry has the broker's maximum age. */
export function noHandOutIsTooOld(watched: Watched): Watch {
  const mostMs = watched.connection.maxTokenAgeSeconds * 1000 + DECISION_MS;
  return watchHandOuts(watched, ({ answer, issued, at }) => {
    if (issued === undefined || wasFrozen(watched.run, answer) || at - issued.issuedAt <= mostMs) return;
    watched.found(at, `${nameOf(answer)} got a token ${at - issued.issuedAt} ms old`);
  });
}

/** 8: subjects never mix. */
export function subjectsNeverMix(watched: Watched): Watch {
  return watchHandOuts(watched, ({ answer, issued, at }) => {
    if (issued?.subject === watched.slot.subject) return;
    watched.found(at, `${nameOf(answer)} got a token of ${issued?.subject ?? 'nobody'}`);
  });
}

/** 10: every hand-out has its audit record, written before the answer. */
export function everyHandOutIsAudited(watched: Watched): Watch {
  return watchHandOuts(watched, ({ answer, audit }) => {
    const { handOut, request, answeredAt } = answer;
    const isRight =
      audit?.caller === request.caller &&
      audit.tokenHash === handOut?.token.hash &&
      audit.generation === handOut.token.generation &&
      audit.secretVersion === handOut.token.secretVersion &&
      audit.source === handOut.source;
    if (!isRight) watched.found(answeredAt, `${nameOf(answer)} is not recorded`);
  });
}

/** 11 and 12: a good token is handed out whatever is down, and whatever became of its refresh. */
export function aGoodTokenIsHandedOut({ run, connection, writes, found }: Watched): Watch {
  const spoilt = new Set<string>();
  const handedOut = new Map<string, Answer[]>();

  /** Whether the table held one and the same good token all the while. */
  function inStore({ askedAt, answeredAt }: Answer, neededUntil: number): boolean {
    const [before, then] = [recordAt(writes, askedAt - 1), recordAt(writes, answeredAt)];
    const isGood = (record: SlotRecord | undefined) =>
      record?.token !== undefined &&
      !spoilt.has(record.token.hash) &&
      expiresAtOf(record.token) >= neededUntil + CLOCK_SKEW_MS;
    return isGood(before) && isGood(then) && before?.generation === then?.generation;
  }

  /** Whether the instance handed out, last before the request, a token that is still good. */
  function inMemory({ instance, askedAt }: Answer, neededUntil: number): boolean {
    const last = handedOut.get(instance)?.findLast((each) => each.answeredAt <= askedAt);
    return last?.handOut !== undefined && last.handOut.token.expiresAt >= neededUntil + CLOCK_SKEW_MS;
  }

  return {
    write({ operation, after }) {
      if (operation === 'spoil' && after?.token !== undefined) spoilt.add(after.token.hash);
    },
    answer(answer) {
      const { error, request, instance, askedAt, answeredAt } = answer;
      if (error === undefined) {
        const earlier = handedOut.get(instance);
        if (earlier === undefined) handedOut.set(instance, [answer]);
        else earlier.push(answer);
        return;
      }
      const isPlain = request.rejectedHash === undefined && request.minTtlSeconds === undefined;
      if (ALWAYS_ALLOWED.has(error) || !isPlain || wasFrozen(run, answer)) return;
      const neededUntil = answeredAt + connection.minTtlSeconds * 1000 + 2 * CLOCK_SKEW_MS;
      const isOutage = error === 'store_unavailable' || error === 'kms_unavailable';
      const hasGood = isOutage ? inMemory(answer, neededUntil) : inStore(answer, neededUntil);
      if (!hasGood) return;
      found(answeredAt, `${nameOf(answer)} was answered ${error} while a token was good (since ${askedAt})`);
    },
  };
}

/** 14: every request is answered in its time, and with nothing unforeseen. */
export function everyRequestIsAnswered({ run, found }: Watched): Watch {
  return {
    answer(answer) {
      const { askedAt, answeredAt, error } = answer;
      const isLate = answeredAt - askedAt > ANSWER_MS + DECISION_MS && !wasFrozen(run, answer);
      if (isLate) found(answeredAt, `${nameOf(answer)} took ${answeredAt - askedAt} ms`);
      if (error === 'internal') found(answeredAt, `${nameOf(answer)} met something unforeseen`);
    },
    unforeseen: ({ at, what }) => found(at, what),
  };
}

/** 16: no lease taken on a caller's word for a token younger than `renewalCooldownSeconds`. */
export function youngTokensAreNotRenewed({ run, connection, found }: Watched): Watch {
  const skewMs = CLOCK_SKEW_MS + (run.scenario.isWithinSkew ? 0 : 2 * 120_000);
  return {
    write({ operation, by, at, before }) {
      const token = before?.token;
      if (operation !== 'markRejected' || !by.startsWith('token') || token === undefined) return;
      const ageMs = at - token.issuedAt;
      if (ageMs + skewMs >= connection.renewalCooldownSeconds * 1000) return;
      found(at, `a token ${ageMs} ms old was renewed on a caller's word`);
    },
  };
}

/** 16: whoever reports a token dead never gets that token, and a session reported dead is not slid. */
export function aReportedTokenIsNotGivenBack({ run, connection, found }: Watched): Watch {
  const begun = new Map<string, RecordedWrite>();
  return {
    answer(answer) {
      const { handOut, request, answeredAt } = answer;
      if (handOut === undefined || handOut.token.hash !== request.rejectedHash) return;
      // An upstream may issue the same token again.
      if (run.world.upstreams.get(connection.name)?.rules.reissues === true) return;
      found(answeredAt, `${nameOf(answer)} was given what it had reported dead`);
    },
    write(write) {
      if (write.operation === 'acquire' || write.operation === 'begin') begun.set(write.by, write);
    },
    sent({ kind, at, process }) {
      const before = begun.get(process)?.before;
      if (kind === 'slide' && before !== undefined && isRejected(before)) found(at, 'a session reported dead was slid');
    },
  };
}

/** 17: what is in the table was issued by the upstream, to the broker, for that slot. */
export function onlyIssuedTokensAreStored({ run, connection, slot, found }: Watched): Watch {
  return {
    write({ operation, at, after }) {
      if (operation !== 'publish' && operation !== 'adopt') return;
      const issued = run.world.upstreams.get(connection.name)?.find(after?.token?.hash ?? '');
      if (issued?.subject !== slot.subject) found(at, 'a token of unknown origin was stored');
    },
  };
}

interface WatchedHandOut {
  readonly answer: Answer;
  readonly issued: IssuedToken | undefined;
  /** Its record, if one was written before the answer. */
  readonly audit: AuditEntry | undefined;
  /** When its record was written, which is when it was decided on. */
  readonly at: number;
}

/** Hears of every answer that gives a token. */
function watchHandOuts({ run, connection }: Watched, hear: (handOut: WatchedHandOut) => void): Watch {
  const audits = new Map<string, AuditEntry>();
  return {
    audit(entry) {
      audits.set(entry.requestId, entry);
    },
    answer(answer) {
      if (answer.handOut === undefined) return;
      const audit = audits.get(answer.request.requestId);
      const issued = run.world.upstreams.get(connection.name)?.find(answer.handOut.token.hash);
      hear({ answer, issued, audit, at: audit?.writtenAt ?? answer.answeredAt });
    },
  };
}

function nameOf({ request, instance }: Answer): string {
  return `${request.requestId} on ${instance}`;
}
