import { slotId } from '../../functions/core/slot.ts';
import { expiresAtOf, type SlotRecord } from '../../functions/core/slot-record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/token.ts';
import { type Run, recordAt, slotsOf, type Violation, wasFrozen, writesTo } from './run.ts';
import type { UpstreamRequest } from './upstream-simulator.ts';
import type { Answer } from './world.ts';

/** What the network may take between the moment a token is found good and the moment its audit record is written. */
const DECISION_MS = 3_000;
/** An upstream's clock is told in whole seconds. */
const DATE_PRECISION_MS = 1_000;
const HOUR_MS = 3_600_000;
const REFUSALS_THAT_STOP = 3;
const LOOK_MS = 10_000;

type Invariant = (run: Run) => Violation[];

/** 1: every hand-out is usable, by the upstream's own reckoning too, unless the upstream ended it early. */
function everyHandOutIsUsable(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const issued = run.world.upstreams.get(answer.request.slot.connection)?.find(token.hash);
    if (issued === undefined || wasFrozen(run, answer)) return [];
    if (issued.endedEarlyAt !== undefined && issued.endedEarlyAt <= at) return [];
    const wantedSeconds = Math.max(answer.request.connection.minTtlSeconds, answer.request.minTtlSeconds ?? 0);
    const leftMs = issued.endsAt - at;
    if (leftMs > 0 && leftMs >= wantedSeconds * 1000 - DECISION_MS - DATE_PRECISION_MS) return [];
    return [
      { invariant: '1', at, what: `${nameOf(answer)} got a token with ${leftMs} ms to go, wanted ${wantedSeconds} s` },
    ];
  });
}

/** 2: a token without expiry has the broker's maximum age. */
function noHandOutIsTooOld(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const issued = run.world.upstreams.get(answer.request.slot.connection)?.find(token.hash);
    const mostMs = answer.request.connection.maxTokenAgeSeconds * 1000 + DECISION_MS;
    if (issued === undefined || wasFrozen(run, answer) || at - issued.issuedAt <= mostMs) return [];
    return [{ invariant: '2', at, what: `${nameOf(answer)} got a token ${at - issued.issuedAt} ms old` }];
  });
}

/** 3: at most one request in flight a slot, as the broker sees it, while clocks agree within s. */
function oneRequestInFlight(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return requestsBySlot(run).flatMap((requests) =>
    requests.flatMap((request, index) => {
      const before = requests[index - 1];
      if (before === undefined || request.at >= endOf(before)) return [];
      return [
        { invariant: '3', at: request.at, what: `${request.subject}: a ${request.kind} while another is under way` },
      ];
    }),
  );
}

/** 4: no login without a lease of its own, and no lease without a reason. */
function everyLoginHasItsReason(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return slotsOf(run).flatMap(({ connection, slot }) => {
    const writes = writesTo(run, slot);
    const taken = writes.filter(({ operation }) => operation === 'acquire');
    const logins = run.world.ledger.filter(
      ({ kind, connection: name, subject }) => kind === 'login' && name === connection.name && subject === slot.subject,
    );
    const unleased =
      logins.length > taken.length
        ? [
            {
              invariant: '4',
              at: logins.at(-1)?.at ?? 0,
              what: `${slot.subject}: ${logins.length} logins under ${taken.length} leases`,
            },
          ]
        : [];
    const unreasoned = taken.flatMap(({ at, before }) => {
      const token = before?.token;
      if (before === undefined || token === undefined || run.spoilt.has(token.hash)) return [];
      const isDue = at + CLOCK_SKEW_MS + DECISION_MS >= token.refreshAt;
      const isReported = before.rejectedGeneration === before.generation;
      if (isDue || isReported) return [];
      return [
        {
          invariant: '4',
          at,
          what: `${slot.subject}: a lease was taken although generation ${before.generation} was good`,
        },
      ];
    });
    return [...unleased, ...unreasoned];
  });
}

/** 5: after a definite refusal no login with that version, for the slot and after three slots for the connection. */
function noLoginWithARefusedVersion(run: Run): Violation[] {
  const { world } = run;
  const versionOf = ({ credential }: UpstreamRequest) => world.vault.versionOf(credential ?? '');
  const bySlot = slotsOf(run).flatMap(({ connection, slot }) => {
    const logins = world.ledger.filter(
      ({ kind, connection: name, subject }) => kind === 'login' && name === connection.name && subject === slot.subject,
    );
    const writes = writesTo(run, slot);
    return writes.flatMap(({ operation, at, after }, index) => {
      const version = after?.refusedVersion;
      if (operation !== 'fail' || version === undefined || after === undefined) return [];
      const clearedAt =
        writes.slice(index).find((later) => later.operation === 'purge')?.at ?? Number.POSITIVE_INFINITY;
      const again = logins.find((login) => login.at > at && login.at < clearedAt && versionOf(login) === version);
      const looksAt = after.notBefore - (after.failure?.at ?? 0);
      const isLate = after.failure?.code === 'upstream_credential_rejected' && looksAt > LOOK_MS;
      return [
        ...(again === undefined
          ? []
          : [{ invariant: '5', at: again.at, what: `${slot.subject}: a login with ${version}, refused before` }]),
        ...(isLate
          ? [{ invariant: '5', at, what: `${slot.subject}: the next look at the secret is ${looksAt} ms away` }]
          : []),
      ];
    });
  });
  const byConnection = world.refusals.flatMap(({ connection, after, at }, index) => {
    if (after === undefined || after.slots < REFUSALS_THAT_STOP) return [];
    const endsAt = world.refusals
      .slice(index + 1)
      .find((later) => later.connection === connection && isAnew(later.after, after))?.at;
    const again = world.ledger.find(
      (request) =>
        request.kind === 'login' &&
        request.connection === connection &&
        request.refusalsReadAt > at &&
        request.refusalsReadAt < (endsAt ?? Number.POSITIVE_INFINITY) &&
        versionOf(request) === after.secretVersion,
    );
    return again === undefined
      ? []
      : [{ invariant: '5', at: again.at, what: `${connection}: a login after three slots were refused` }];
  });
  return [...bySlot, ...byConnection];
}

/** 6: unknown outcomes: at most 10 attempts in the first hour, then at most 4 an hour. */
function unknownOutcomesAreRare(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return slotsOf(run).flatMap(({ connection, slot }) => {
    const resets = writesTo(run, slot).filter(({ operation }) =>
      ['publish', 'purge', 'endBackOff', 'spoil'].includes(operation),
    );
    const unknown = run.world.ledger
      .filter(({ connection: name, subject }) => name === connection.name && subject === slot.subject)
      .filter((request, index, all) => isUnknown(request) && !isFollowedByLogin(request, all[index + 1]));
    const violations: Violation[] = [];
    let firstAt = 0;
    let recent: number[] = [];
    let early = 0;
    let lastAt = Number.NEGATIVE_INFINITY;
    for (const { at } of unknown) {
      if (recent.length === 0 || resets.some((reset) => reset.at >= lastAt && reset.at <= at)) {
        firstAt = at;
        recent = [];
        early = 0;
      }
      lastAt = at;
      recent.push(at);
      const sinceFirst = at - firstAt;
      if (sinceFirst < HOUR_MS) early += 1;
      // Two readers of two clocks may see the end of a back-off at moments up to s apart.
      const withinHour = recent.filter((each) => each > at - HOUR_MS + 6 * CLOCK_SKEW_MS && each - firstAt >= HOUR_MS);
      if (early > 10 || withinHour.length > 4) {
        violations.push({
          invariant: '6',
          at,
          what: `${slot.subject}: ${early} attempts in the first hour, ${withinHour.length} in the last`,
        });
      }
    }
    return violations;
  });
}

/** 7: published generations strictly advance, and an older token never takes the place of a newer. */
function generationsAdvance(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ connection, slot }) => {
    let generation = 0;
    let newest = 0;
    return writesTo(run, slot).flatMap(({ operation, at, after }) => {
      if (operation === 'ttl') {
        generation = 0;
        return [];
      }
      const next = after?.generation ?? 0;
      const isPublication = operation === 'publish';
      const issuedAt = run.world.upstreams.get(connection.name)?.find(after?.token?.hash ?? '')?.issuedAt ?? 0;
      const isOlder = isPublication && issuedAt < newest;
      const hasStalled = isPublication ? next <= generation : next < generation;
      generation = next;
      if (isPublication) newest = Math.max(newest, issuedAt);
      if (!isOlder && !hasStalled) return [];
      return [
        {
          invariant: '7',
          at,
          what: `${slot.subject}: generation ${next} is ${isOlder ? 'an older token' : 'no advance'}`,
        },
      ];
    });
  });
}

/** 8: subjects never mix. */
function subjectsNeverMix(run: Run): Violation[] {
  return handOuts(run).flatMap(({ answer, token, at }) => {
    const { connection, subject } = answer.request.slot;
    const issued = run.world.upstreams.get(connection)?.find(token.hash);
    if (issued?.subject === subject) return [];
    return [{ invariant: '8', at, what: `${nameOf(answer)} got a token of ${issued?.subject ?? 'nobody'}` }];
  });
}

/** 10: every hand-out has its audit record, written before the answer. */
function everyHandOutIsAudited(run: Run): Violation[] {
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
function aGoodTokenIsHandedOut(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return run.world.answers.flatMap((answer) => {
    const { error, request, askedAt, answeredAt } = answer;
    const isPlain = request.rejectedHash === undefined && request.minTtlSeconds === undefined;
    if (error === undefined || error === 'audit_unavailable' || !isPlain || wasFrozen(run, answer)) return [];
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
function youngTokensAreNotRenewed(run: Run): Violation[] {
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

/** 17: what is in the table was issued by the upstream, to the broker, for that slot. */
function onlyIssuedTokensAreStored(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ connection, slot }) =>
    writesTo(run, slot).flatMap(({ operation, at, after }) => {
      if (operation !== 'publish') return [];
      const issued = run.world.upstreams.get(connection.name)?.find(after?.token?.hash ?? '');
      return issued?.subject === slot.subject
        ? []
        : [{ invariant: '17', at, what: `${slot.subject}: a token of unknown origin was stored` }];
    }),
  );
}

/** 18: once faults end, the next attempt at `notBefore` succeeds, and callers need do nothing. */
function everySlotHeals(run: Run): Violation[] {
  return run.unhealed.map((what) => ({ invariant: '18', at: run.world.time.now(), what }));
}

/** Beside the numbered ones: every request is answered in its time, and nothing unforeseen is thrown. */
function everyRequestIsAnswered(run: Run): Violation[] {
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
    ...(run.unanswered > 0
      ? [{ invariant: '14', at: run.world.time.now(), what: `${run.unanswered} requests were never answered` }]
      : []),
  ];
}

/** The invariants of the protocol that a run can be held against, by their numbers there. */
export const invariants: readonly Invariant[] = [
  everyHandOutIsUsable,
  noHandOutIsTooOld,
  oneRequestInFlight,
  everyLoginHasItsReason,
  noLoginWithARefusedVersion,
  unknownOutcomesAreRare,
  generationsAdvance,
  subjectsNeverMix,
  everyHandOutIsAudited,
  aGoodTokenIsHandedOut,
  youngTokensAreNotRenewed,
  onlyIssuedTokensAreStored,
  everySlotHeals,
  everyRequestIsAnswered,
];

function handOuts({ world }: Run) {
  return world.answers.flatMap((answer) => {
    const audit = world.audits.find(({ requestId }) => requestId === answer.request.requestId);
    if (answer.handOut === undefined) return [];
    return [{ answer, token: answer.handOut.token, at: audit?.writtenAt ?? answer.answeredAt }];
  });
}

function nameOf({ request, instance }: Answer): string {
  return `${request.requestId} for ${request.slot.connection}/${request.slot.subject} on ${instance}`;
}

function requestsBySlot({ world }: Run): UpstreamRequest[][] {
  return [...Map.groupBy(world.ledger, ({ connection, subject }) => `${connection}/${subject}`).values()];
}

function endOf({ at, timeoutMs, endedAt }: UpstreamRequest): number {
  return Math.min(endedAt ?? Number.POSITIVE_INFINITY, at + timeoutMs);
}

function isUnknown({ endedAt, backOff }: UpstreamRequest): boolean {
  return endedAt === undefined || backOff === 'unknown' || backOff === 'ambiguous_login';
}

/** A slide that was answered 401 and the login after it are one attempt. */
function isFollowedByLogin(request: UpstreamRequest, next: UpstreamRequest | undefined): boolean {
  return (
    request.kind === 'slide' &&
    next?.kind === 'login' &&
    next.process === request.process &&
    next.at - request.at < 20_000
  );
}

function isAnew(now: { secretVersion: string; slots: number } | undefined, then: { secretVersion: string }): boolean {
  return now === undefined || now.secretVersion !== then.secretVersion;
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
