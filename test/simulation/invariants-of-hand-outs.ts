import { slotId } from '../../functions/core/slot.ts';
import { expiresAtOf, type SlotRecord } from '../../functions/core/slot-record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/token.ts';
import { DECISION_MS, type Run, recordAt, slotsOf, type Violation, wasFrozen, writesTo } from './run.ts';
import type { Answer } from './world.ts';

/** An upstream's clock is told in whole seconds. */
const DATE_PRECISION_MS = 1_000;
/** Errors that a good token does not forbid: it must not be handed out unrecorded, nor where it ends with the next. */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['audit_unavailable', 'handout_disabled']);

/** 1: every hand-out is usable, by the upstream's own reckoning too, unless the upstream ended it early. */
export function everyHandOutIsUsable(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const issued = run.world.upstreams.get(answer.request.slot.connection)?.find(token.hash);
    if (issued === undefined || wasFrozen(run, answer)) return [];
    if (issued.endedEarlyAt !== undefined && issued.endedEarlyAt <= at) return [];
    const wantedSeconds = Math.max(answer.request.connection.minTtlSeconds, answer.request.minTtlSeconds ?? 0);
    const leftMs = issued.endsAt - at;
    if (leftMs >= wantedSeconds * 1000 - DECISION_MS - DATE_PRECISION_MS) return [];
    return [
      { invariant: '1', at, what: `${nameOf(answer)} got a token with ${leftMs} ms to go, wanted ${wantedSeconds} s` },
    ];
  });
}

/** 2: a token without expiry has the broker's maximum age. */
export function noHandOutIsTooOld(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const issued = run.world.upstreams.get(answer.request.slot.connection)?.find(token.hash);
    const mostMs = answer.request.connection.maxTokenAgeSeconds * 1000 + DECISION_MS;
    if (issued === undefined || wasFrozen(run, answer) || at - issued.issuedAt <= mostMs) return [];
    return [{ invariant: '2', at, what: `${nameOf(answer)} got a token ${at - issued.issuedAt} ms old` }];
  });
}

/** 8: subjects never mix. */
export function subjectsNeverMix(run: Run): Violation[] {
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const { connection, subject } = answer.request.slot;
    const issued = run.world.upstreams.get(connection)?.find(token.hash);
    if (issued?.subject === subject) return [];
    return [{ invariant: '8', at, what: `${nameOf(answer)} got a token of ${issued?.subject ?? 'nobody'}` }];
  });
}

/** 10: every hand-out has its audit record, written before the answer. */
export function everyHandOutIsAudited(run: Run): Violation[] {
  return run.world.answers.flatMap((answer) => {
    const { handOut, request, auditsBefore, answeredAt } = answer;
    if (handOut === undefined) return [];
    const { token, source } = handOut;
    const audit = run.world.audits.slice(0, auditsBefore).find(({ requestId }) => requestId === request.requestId);
    const isRight =
      audit?.caller === request.caller &&
      audit.connection === request.slot.connection &&
      audit.subject === request.slot.subject &&
      audit.tokenHash === token.hash &&
      audit.generation === token.generation &&
      audit.secretVersion === token.secretVersion &&
      audit.source === source;
    return isRight ? [] : [{ invariant: '10', at: answeredAt, what: `${nameOf(answer)} is not recorded` }];
  });
}

/** 11 and 12: a good token is handed out whatever is down, and whatever became of its refresh. */
export function aGoodTokenIsHandedOut(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return run.world.answers.flatMap((answer) => {
    const { error, request, askedAt, answeredAt } = answer;
    const isPlain = request.rejectedHash === undefined && request.minTtlSeconds === undefined;
    if (error === undefined || ALWAYS_ALLOWED.has(error) || !isPlain || wasFrozen(run, answer)) return [];
    const neededUntil = answeredAt + request.connection.minTtlSeconds * 1000 + 2 * CLOCK_SKEW_MS;
    const isOutage = error === 'store_unavailable' || error === 'kms_unavailable';
    const hasGood = isOutage ? inMemory(run, answer, neededUntil) : inStore(run, answer, neededUntil);
    return hasGood
      ? [
          {
            invariant: '11',
            at: answeredAt,
            what: `${nameOf(answer)} was answered ${error} while a token was good (since ${askedAt})`,
          },
        ]
      : [];
  });
}

/** 16: no lease taken on a caller's word for a token younger than `renewalCooldownSeconds`. */
export function youngTokensAreNotRenewed(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ connection, slot }) =>
    writesTo(run, slot).flatMap(({ operation, by, at, before }) => {
      const token = before?.token;
      if (operation !== 'markRejected' || !by.startsWith('token') || token === undefined) return [];
      const ageMs = at - token.issuedAt + (run.scenario.isWithinSkew ? CLOCK_SKEW_MS : 2 * 120_000 + CLOCK_SKEW_MS);
      if (ageMs >= connection.renewalCooldownSeconds * 1000) return [];
      return [
        {
          invariant: '16',
          at,
          what: `${slot.subject}: a token ${at - token.issuedAt} ms old was renewed on a caller's word`,
        },
      ];
    }),
  );
}

/** 16: whoever reports a token dead never gets that token, and a session reported dead is not slid. */
export function aReportedTokenIsNotGivenBack(run: Run): Violation[] {
  const given = run.world.answers.flatMap((answer) =>
    answer.handOut !== undefined && answer.handOut.token.hash === answer.request.rejectedHash
      ? [{ invariant: '16', at: answer.answeredAt, what: `${nameOf(answer)} was given what it had reported dead` }]
      : [],
  );
  const slid = slotsOf(run).flatMap(({ connection, slot }) => {
    const writes = writesTo(run, slot);
    const taken = writes.filter(({ operation }) => operation === 'acquire');
    const slides = run.world.ledger.filter(
      ({ kind, connection: name, subject }) => kind === 'slide' && name === connection.name && subject === slot.subject,
    );
    return slides.flatMap(({ at }) => {
      const takenAt = taken.findLast((write) => write.at <= at)?.at ?? at;
      // What was reported in the very moment in which the lease was taken may have come too late to be seen.
      const [before, then] = [recordAt(writes, takenAt - DECISION_MS), recordAt(writes, takenAt)];
      const isReported =
        before?.token !== undefined &&
        before.rejectedGeneration === before.generation &&
        before.generation === then?.generation;
      return isReported ? [{ invariant: '16', at, what: `${slot.subject}: a session reported dead was slid` }] : [];
    });
  });
  return [...given, ...slid];
}

/** 17: what is in the table was issued by the upstream, to the broker, for that slot. */
export function onlyIssuedTokensAreStored(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ connection, slot }) =>
    writesTo(run, slot).flatMap(({ operation, at, after }) => {
      if (operation !== 'publish' && operation !== 'adopt') return [];
      const issued = run.world.upstreams.get(connection.name)?.find(after?.token?.hash ?? '');
      return issued?.subject === slot.subject
        ? []
        : [{ invariant: '17', at, what: `${slot.subject}: a token of unknown origin was stored` }];
    }),
  );
}

/** 18: once faults end, the next attempt at `notBefore` succeeds, and callers need do nothing. */
export function everySlotHeals(run: Run): Violation[] {
  return run.unhealed.map((what) => ({ invariant: '18', at: run.world.time.now(), what }));
}

/** Beside the numbered ones: every request is answered in its time, and nothing unforeseen is thrown. */
export function everyRequestIsAnswered(run: Run): Violation[] {
  const late = run.world.answers.filter(
    (answer) => answer.answeredAt - answer.askedAt > 24_000 + DECISION_MS && !wasFrozen(run, answer),
  );
  const unforeseen = run.world.answers.filter(({ error }) => error === 'internal');
  return [
    ...late.map((answer) => ({
      invariant: '14',
      at: answer.answeredAt,
      what: `${nameOf(answer)} took ${answer.answeredAt - answer.askedAt} ms`,
    })),
    ...unforeseen.map((answer) => ({
      invariant: '14',
      at: answer.answeredAt,
      what: `${nameOf(answer)} met something unforeseen`,
    })),
    ...run.unforeseen.map((what) => ({ invariant: '14', at: run.world.time.now(), what })),
    ...(run.unanswered > 0
      ? [{ invariant: '14', at: run.world.time.now(), what: `${run.unanswered} requests were never answered` }]
      : []),
  ];
}

/** Every hand-out with when its audit record was written, which is when it was decided on. */
function handOuts({ world }: Run) {
  const writtenAt = new Map(world.audits.map((audit) => [audit.requestId, audit.writtenAt]));
  return world.answers.flatMap((answer) => {
    const { handOut, request, answeredAt } = answer;
    if (handOut === undefined) return [];
    return [{ answer, token: handOut.token, at: writtenAt.get(request.requestId) ?? answeredAt }];
  });
}

function nameOf({ request, instance }: Answer): string {
  return `${request.requestId} for ${request.slot.connection}/${request.slot.subject} on ${instance}`;
}

/** Whether the table held one and the same good token all the while. */
function inStore(run: Run, { request, askedAt, answeredAt }: Answer, neededUntil: number): boolean {
  const writes = writesTo(run, request.slot);
  const records = [recordAt(writes, askedAt - 1), recordAt(writes, answeredAt)];
  const isGood = (record: SlotRecord | undefined) =>
    record?.token !== undefined &&
    !run.spoilt.has(record.token.hash) &&
    expiresAtOf(record.token) >= neededUntil + CLOCK_SKEW_MS;
  return records.every(isGood) && records[0]?.generation === records[1]?.generation;
}

/** Whether the instance handed out, last before the request, a token that is still good. */
function inMemory(run: Run, { request, instance, askedAt }: Answer, neededUntil: number): boolean {
  const id = slotId(request.slot);
  const last = run.world.answers.findLast(
    (answer) =>
      answer.instance === instance &&
      answer.answeredAt <= askedAt &&
      slotId(answer.request.slot) === id &&
      answer.handOut !== undefined,
  );
  return last?.handOut !== undefined && last.handOut.token.expiresAt >= neededUntil + CLOCK_SKEW_MS;
}
