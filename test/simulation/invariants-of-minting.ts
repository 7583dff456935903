import { CLOCK_SKEW_MS } from '../../functions/core/token.ts';
import { DECISION_MS, type Run, slotsOf, type Violation, writesTo } from './run.ts';
import type { UpstreamRequest } from './upstream-simulator.ts';

const HOUR_MS = 3_600_000;
const REFUSALS_THAT_STOP = 3;
const LOOK_MS = 10_000;
/** Where the work under a lease begins: what was purged before is known to it. */
const BEGINNINGS: ReadonlySet<string> = new Set(['acquire', 'begin']);
/** What only the holder of the lease may write. */
const ENDINGS: ReadonlySet<string> = new Set(['publish', 'fail', 'release']);

/** 3: at most one request in flight a slot, as the broker sees it, while clocks agree within s. */
export function oneRequestInFlight(run: Run): Violation[] {
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

/** 3: nothing is sent but under the sender's own lease, with time to be answered before that ends. */
export function everyRequestIsSentUnderItsLease(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return slotsOf(run).flatMap(({ connection, slot }) => {
    const beginnings = writesTo(run, slot).filter(({ operation }) => BEGINNINGS.has(operation));
    const sent = run.world.ledger.filter(
      (each) => each.connection === connection.name && each.subject === slot.subject,
    );
    return sent.flatMap(({ process, at, timeoutMs, kind }) => {
      const lease = beginnings.findLast((write) => write.by === process && write.at <= at)?.after?.lease;
      if (lease !== undefined && at + timeoutMs <= lease.until) return [];
      return [{ invariant: '3', at, what: `${slot.subject}: ${process} sends a ${kind} that may outlast its lease` }];
    });
  });
}

/** 3 and 7: an invocation of mint ends no lease but its own, and publishes under no other. */
export function leasesAreEndedByTheirHolders(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ slot }) => {
    const writes = writesTo(run, slot);
    return writes.flatMap(({ operation, by, at, before }, index) => {
      if (!ENDINGS.has(operation) || !by.startsWith('mint')) return [];
      const begun = writes.slice(0, index).findLast((write) => write.by === by && BEGINNINGS.has(write.operation));
      if (begun?.after?.lease?.id === before?.lease?.id) return [];
      return [{ invariant: '7', at, what: `${slot.subject}: ${by} wrote ${operation} under another's lease` }];
    });
  });
}

/** 4: no login without a lease of its own, and no lease without a reason. */
export function everyLoginHasItsReason(run: Run): Violation[] {
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
export function noLoginWithARefusedVersion(run: Run): Violation[] {
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
      // A holder whose clock is beyond the bound may thaw after its lease and send what it had begun before.
      const isBegunSince = (login: UpstreamRequest) =>
        run.scenario.isWithinSkew ||
        writes.some((write) => write.operation === 'acquire' && write.at > at && write.at <= login.at);
      const again = logins.find(
        (login) => login.at > at && login.at < clearedAt && versionOf(login) === version && isBegunSince(login),
      );
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

/** Attempts over which the back-off grows to its whole 15 minutes: 30 s, doubled. */
const ATTEMPTS_THAT_GROW = 6;

/**
 * 6: unknown outcomes: at most 10 attempts in an hour, and at most 4 once the back-off has grown. It grows with each
 * attempt, and attempts come with requests: after an hour without any, the count begins anew.
 */
export function unknownOutcomesAreRare(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return slotsOf(run).flatMap(({ connection, slot }) => {
    const resets = writesTo(run, slot).filter(({ operation }) =>
      ['publish', 'adopt', 'purge', 'endBackOff', 'spoil'].includes(operation),
    );
    const unknown = run.world.ledger
      .filter(({ connection: name, subject }) => name === connection.name && subject === slot.subject)
      .filter((request, index, all) => isUnknown(request) && !isFollowedByLogin(request, all[index + 1]));
    const violations: Violation[] = [];
    let attempts: number[] = [];
    for (const { at } of unknown) {
      const lastAt = attempts.at(-1) ?? at;
      const isAfterRest = at - lastAt >= HOUR_MS;
      if (isAfterRest || resets.some((reset) => reset.at >= lastAt && reset.at <= at)) attempts = [];
      attempts.push(at);
      // Two readers of two clocks may see the end of a back-off at moments up to s apart.
      const isWithinHour = (each: number) => each > at - HOUR_MS + 6 * CLOCK_SKEW_MS;
      const all = attempts.filter(isWithinHour).length;
      const grown = attempts.slice(ATTEMPTS_THAT_GROW).filter(isWithinHour).length;
      if (all > 10 || grown > 4) {
        const what = `${slot.subject}: ${all} attempts in an hour, ${grown} of them after the back-off had grown`;
        violations.push({ invariant: '6', at, what });
      }
    }
    return violations;
  });
}

/** 6: the back-off is written with the lease, so that it holds even if nobody comes back. */
export function everyLeaseCarriesItsBackOff(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ slot }) =>
    writesTo(run, slot).flatMap(({ operation, at, after }) => {
      if (operation !== 'acquire' || (after?.notBefore ?? 0) >= (after?.lease?.until ?? 0)) return [];
      return [{ invariant: '6', at, what: `${slot.subject}: a lease was taken without a back-off` }];
    }),
  );
}

/** 7: published generations strictly advance, and an older token never takes the place of a newer. */
export function generationsAdvance(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ connection, slot }) => {
    let generation = 0;
    let newest = 0;
    return writesTo(run, slot).flatMap(({ operation, at, after }) => {
      if (operation === 'ttl') {
        generation = 0;
        return [];
      }
      const next = after?.generation ?? 0;
      const isPublication = operation === 'publish' || operation === 'adopt';
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

/** 7: what was asked for before a purge is not published after it. */
export function aPurgedAttemptIsDiscarded(run: Run): Violation[] {
  return slotsOf(run).flatMap(({ slot }) => {
    const writes = writesTo(run, slot);
    return writes.flatMap(({ operation, at, after }, index) => {
      if (operation !== 'publish') return [];
      const sentAt = run.world.ledger.find(
        ({ issued }) => issued !== undefined && issued.hash === after?.token?.hash,
      )?.at;
      const isPurged = writes.slice(0, index).some((write) => write.operation === 'purge' && write.at > (sentAt ?? at));
      return isPurged
        ? [{ invariant: '7', at, what: `${slot.subject}: what was asked for before a purge was published after it` }]
        : [];
    });
  });
}

/** C18: where a new token ends the old one, calls and requests for tokens come one at a time. */
export function exclusiveCallsComeOneAtATime(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return slotsOf(run).flatMap(({ connection, slot }) => {
    if (connection.tokensOverlap) return [];
    const all = [...run.world.ledger, ...run.world.calls]
      .filter((each) => each.connection === connection.name && each.subject === slot.subject)
      .sort((one, other) => one.at - other.at);
    return all.flatMap((each, index) => {
      const before = all[index - 1];
      if (before === undefined || each.at >= endOf(before)) return [];
      return [
        { invariant: 'C18', at: each.at, what: `${slot.subject}: ${each.process} sends while ${before.process} does` },
      ];
    });
  });
}

/** C20: no session is slid past its longest age. */
export function noSessionIsTooOld(run: Run): Violation[] {
  if (!run.scenario.isWithinSkew) return [];
  return run.world.ledger.flatMap(({ kind, connection: name, subject, at, issued }) => {
    const mostMs = (run.world.connections[name]?.maxSessionSeconds ?? 0) * 1000 + 2 * CLOCK_SKEW_MS + DECISION_MS;
    if (kind !== 'slide' || issued === undefined || at - issued.sessionStartedAt <= mostMs) return [];
    return [{ invariant: 'C20', at, what: `${subject}: a session ${at - issued.sessionStartedAt} ms old was slid` }];
  });
}

function requestsBySlot({ world }: Run): UpstreamRequest[][] {
  return [...Map.groupBy(world.ledger, ({ connection, subject }) => `${connection}/${subject}`).values()];
}

function endOf({ at, timeoutMs, endedAt }: Pick<UpstreamRequest, 'at' | 'timeoutMs' | 'endedAt'>): number {
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
