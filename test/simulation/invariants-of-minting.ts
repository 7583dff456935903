import { CLOCK_SKEW_MS } from '../../functions/core/slot/token.ts';
import type { RecordedWrite, UpstreamRequest, Watch } from './happenings.ts';
import type { Watched } from './run.ts';
import { DECISION_MS } from './run.ts';
import { OPERATORS } from './simulated-process.ts';

/** Where the work under a lease begins: what was purged before is known to it. */
const BEGINNINGS: ReadonlySet<string> = new Set(['acquire', 'begin', 'borrow']);
/** What only the holder of the lease may write. */
const ENDINGS: ReadonlySet<string> = new Set(['publish', 'fail', 'release']);

/** 3: at most one request in flight a slot, as the broker sees it, while clocks agree within s. */
export function oneRequestInFlight({ found }: Watched): Watch {
  const inFlight = createInFlight();
  return {
    sent(request) {
      if (inFlight.at(request.at) !== undefined) found(request.at, `a ${request.kind} while another is under way`);
      inFlight.add(request);
    },
    heard: inFlight.end,
  };
}

/** C18: where a new token ends the old one, calls and requests for tokens come one at a time. */
export function exclusiveCallsComeOneAtATime({ connection, found }: Watched): Watch {
  if (connection.tokensOverlap) return {};
  const inFlight = createInFlight();
  const begin = (each: InFlight) => {
    const other = inFlight.at(each.at);
    if (other !== undefined) found(each.at, `${each.process} sends while ${other.process} does`);
    inFlight.add(each);
  };
  return { sent: begin, heard: inFlight.end, forwarded: begin, returned: inFlight.end };
}

/** 3: nothing is sent but under the sender's own lease, with time by its clock to be answered before that ends. */
export function everyRequestIsSentUnderItsLease({ found }: Watched): Watch {
  const begunBy = new Map<string, RecordedWrite>();
  return {
    write(write) {
      if (BEGINNINGS.has(write.operation)) begunBy.set(write.by, write);
    },
    sent({ process, at, clockAt, timeoutMs, kind }) {
      const lease = begunBy.get(process)?.after?.lease;
      if (lease === undefined || clockAt + timeoutMs > lease.until)
        found(at, `${process} sends a ${kind} that may outlast its lease`);
    },
  };
}

/** 3 and 7: an invocation of mint ends no lease but its own or one that nobody has begun, and publishes under no other. */
export function leasesAreEndedByTheirHolders({ found }: Watched): Watch {
  const begunBy = new Map<string, RecordedWrite>();
  return {
    write(write) {
      const { operation, by, at, before } = write;
      const own = begunBy.get(by)?.after?.lease?.id;
      if (BEGINNINGS.has(operation)) begunBy.set(by, write);
      if (!ENDINGS.has(operation) || !by.startsWith('mint') || own === before?.lease?.id) return;
      if (operation === 'fail' && before?.lease !== undefined && before.lease.begunBy === undefined) return;
      found(at, `${by} wrote ${operation} under another's lease`);
    },
  };
}

/**
 * 4: no login without a lease of its own, and no lease without a reason. Within the upstream's grace period a refused
 * refresh token is followed by the one before it, once, under the same lease (19).
 */
export function everyLoginHasItsReason({ run, connection, found }: Watched): Watch {
  const spoilt = new Set<string>();
  const hasGrace = (run.scenario.graceMs ?? 0) > 0;
  /** The first login that each process made under the lease that it has. */
  const firstBy = new Map<string, UpstreamRequest>();
  const fallbacks = new Set<UpstreamRequest>();
  let leases = 0;
  let logins = 0;
  return {
    write({ operation, by, at, before, after }) {
      if (BEGINNINGS.has(operation)) firstBy.delete(by);
      if (operation === 'spoil' && after?.token !== undefined) spoilt.add(after.token.hash);
      // A candidate is reason enough; a logout borrows the lease too, and logs in nowhere.
      if (operation === 'borrow' && by === OPERATORS) leases += 1;
      if (operation !== 'acquire') return;
      leases += 1;
      if (before?.token === undefined || spoilt.has(before.token.hash)) return;
      const isDue = at + CLOCK_SKEW_MS + DECISION_MS >= before.token.refreshAt;
      const isReported = before.rejectedGeneration === before.generation;
      // A try counts as an accepted report does.
      const oldEnoughAt = before.token.issuedAt + connection.renewalCooldownSeconds * 1000;
      const isTried = by === OPERATORS && at + CLOCK_SKEW_MS >= oldEnoughAt;
      if (!isDue && !isReported && !isTried && before.unprovenVersion === undefined)
        found(at, `a lease was taken although generation ${before.generation} was good`);
    },
    sent(request) {
      const { kind, at, process } = request;
      if (kind !== 'login') return;
      const first = firstBy.get(process);
      firstBy.set(process, first ?? request);
      const isFallback = hasGrace && first?.outcome === 'reauthorization_required' && !fallbacks.has(first);
      if (isFallback) fallbacks.add(first);
      else logins += 1;
      if (logins > leases) found(at, `${logins} logins under ${leases} leases`);
    },
  };
}

/** What ends a back-off, or the count of attempts that it grows with. */
const RESETS: ReadonlySet<string> = new Set(['publish', 'adopt', 'purge', 'endBackOff', 'spoil', 'ttl']);
/** Attempts over which the back-off grows to its whole 15 minutes: 30 s, doubled. */
const ATTEMPTS_THAT_GROW = 6;
const HOUR_MS = 3_600_000;

/**
 * 6: unknown outcomes: at most 10 logins in an hour, and at most 4 once the back-off has grown; and so of slides. It
 * grows with each attempt, and attempts come with requests: the hour that the growth takes is one in which somebody
 * keeps asking.
 */
export function unknownOutcomesAreRare(watched: Watched): Watch {
  const [logins, slides] = [countUnknown('login', watched), countUnknown('slide', watched)];
  return {
    label: (label) => logins.label?.(label),
    write(write) {
      logins.write?.(write);
      slides.write?.(write);
    },
    sent(request) {
      logins.sent?.(request);
      slides.sent?.(request);
    },
    heard(request) {
      logins.heard?.(request);
      slides.heard?.(request);
    },
  };
}

function countUnknown(kind: UpstreamRequest['kind'], { found }: Watched): Watch {
  let attempts: UpstreamRequest[] = [];
  /** Values that are no more than candidates: invariant 22 counts their logins. */
  const candidates = new Set<string>();
  return {
    label({ label, value }) {
      if (label === 'candidate') candidates.add(value);
      else candidates.delete(value);
    },
    write({ operation }) {
      if (RESETS.has(operation)) attempts = [];
    },
    sent(request) {
      if (request.kind !== kind || candidates.has(request.credential ?? '')) return;
      // One that is too many is too many whatever becomes of it.
      const { at } = request;
      attempts.push(request);
      // Two readers of two clocks may see the end of a back-off at moments up to s apart.
      const isWithinHour = (each: UpstreamRequest) => each.at > at - HOUR_MS + ATTEMPTS_THAT_GROW * CLOCK_SKEW_MS;
      const all = attempts.filter(isWithinHour).length;
      const grown = attempts.slice(ATTEMPTS_THAT_GROW).filter(isWithinHour).length;
      if (all > 10 || grown > 4) found(at, `${all} ${kind}s in an hour, ${grown} of them after the back-off had grown`);
    },
    heard(request) {
      if (!isUnknown(request)) attempts = attempts.filter((each) => each !== request);
    },
  };
}

/** 6: the back-off is written with the lease, so that it holds even if nobody comes back. */
export function everyLeaseCarriesItsBackOff({ found }: Watched): Watch {
  return {
    write({ operation, at, after }) {
      if (operation !== 'acquire') return;
      const { notBefore = 0, renewalNotBefore = 0, lease } = after ?? {};
      if (Math.max(notBefore, renewalNotBefore) < (lease?.until ?? 0))
        found(at, 'a lease was taken without a back-off');
    },
  };
}

/** 23: an attempt that sent nothing but a renewal leaves the logins' back-off as it was. */
export function renewalsDelayNoLogin({ found }: Watched): Watch {
  const begunBy = new Map<string, RecordedWrite>();
  const sentBy = new Map<string, UpstreamRequest['kind']>();
  return {
    sent({ kind, process }) {
      sentBy.set(process, kind);
    },
    write(write) {
      const { operation, by, at, before, after } = write;
      const sent = sentBy.get(by);
      const own = begunBy.get(by)?.after?.lease?.id;
      if (BEGINNINGS.has(operation)) begunBy.set(by, write);
      // After a turn it is the login that fails, be it sent or not.
      if (BEGINNINGS.has(operation) || ENDINGS.has(operation) || operation === 'turnToLogin') sentBy.delete(by);
      // Another lease is another attempt, that could not begin: the end of the first was never written.
      if (operation !== 'fail' || sent !== 'slide' || own !== before?.lease?.id) return;
      if (before?.notBefore !== after?.notBefore || before?.tries !== after?.tries)
        found(at, 'a slide that failed holds back logins');
    },
  };
}

/** 7: published generations strictly advance, and an older token never takes the place of a newer. */
export function generationsAdvance({ run, connection, found }: Watched): Watch {
  let generation = 0;
  let newest = 0;
  return {
    write({ operation, at, after }) {
      if (operation === 'ttl') {
        generation = 0;
        return;
      }
      const next = after?.generation ?? 0;
      const isPublication = operation === 'publish' || operation === 'adopt';
      const issuedAt = run.world.upstreams.get(connection.name)?.find(after?.token?.hash ?? '')?.issuedAt ?? 0;
      const isOlder = isPublication && issuedAt < newest;
      const hasStalled = isPublication ? next <= generation : next < generation;
      generation = next;
      if (isPublication) newest = Math.max(newest, issuedAt);
      if (isOlder || hasStalled) found(at, `generation ${next} is ${isOlder ? 'an older token' : 'no advance'}`);
    },
  };
}

/** 7: what was asked for before a purge is not published after it. */
export function aPurgedAttemptIsDiscarded({ found }: Watched): Watch {
  const sentAt = new Map<string, number>();
  let purgedAt = Number.NEGATIVE_INFINITY;
  return {
    issued({ request, issued }) {
      // An upstream that reissues its token gives it to several: asked for by one of them after the purge is enough.
      sentAt.set(issued.hash, Math.max(request.at, sentAt.get(issued.hash) ?? request.at));
    },
    write({ operation, at, after }) {
      if (operation === 'purge') purgedAt = at;
      if (operation !== 'publish' || purgedAt <= (sentAt.get(after?.token?.hash ?? '') ?? at)) return;
      found(at, 'what was asked for before a purge was published after it');
    },
  };
}

/**
 * 27: a logout is sent for a token that a purge has dropped, and ends none that the slot has: not that very token, and
 * no other where a new token ends the old one.
 */
export function logoutsEndPurgedTokensAlone({ connection, found }: Watched): Watch {
  const purged = new Set<string>();
  let held: string | undefined;
  const check = ({ kind, ends = '' }: UpstreamRequest, at: number) => {
    if (kind !== 'logout') return;
    if (!purged.has(ends)) found(at, 'a logout of a token that was never purged');
    const isInUse = connection.tokensOverlap ? held === ends : held !== undefined;
    if (isInUse) found(at, 'a logout beside a token that it may end');
  };
  return {
    write({ operation, before, after }) {
      // DynamoDB may delete the item in the middle of a DELETE that has read it.
      const isDropped = operation === 'purge' || operation === 'ttl';
      if (isDropped && before?.token !== undefined) purged.add(before.token.hash);
      held = after?.token?.hash;
    },
    sent: (request) => check(request, request.at),
    heard(request) {
      const { at, endedAt = at, timeoutMs } = request;
      // Whoever was frozen hears late of what was given up on in time.
      if (endedAt <= at + timeoutMs) check(request, endedAt);
    },
  };
}

/** C20: no session is slid past its longest age. */
export function noSessionIsTooOld({ connection, found }: Watched): Watch {
  const mostMs = (connection.maxSessionSeconds ?? 0) * 1000 + 2 * CLOCK_SKEW_MS + DECISION_MS;
  return {
    issued({ request: { kind, at }, issued }) {
      const ageMs = at - issued.sessionStartedAt;
      if (kind === 'slide' && ageMs > mostMs) found(at, `a session ${ageMs} ms old was slid`);
    },
  };
}

type InFlight = Pick<UpstreamRequest, 'process' | 'at' | 'timeoutMs'>;

/** What was sent and neither answered nor given up on. */
function createInFlight() {
  const under = new Set<InFlight>();
  return {
    add: (each: InFlight) => under.add(each),
    end: (each: InFlight) => {
      under.delete(each);
    },
    /** One that is in flight at a moment; whose sender is dead or frozen is so until its time is over. */
    at: (now: number) => [...under].find(({ at, timeoutMs }) => now < at + timeoutMs),
  };
}

function isUnknown({ backOff }: UpstreamRequest): boolean {
  return backOff === 'unknown' || backOff === 'ambiguous_login';
}
