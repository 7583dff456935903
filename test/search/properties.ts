import { leaseLengthMs } from '../../functions/core/slot/lease.ts';
import { EMPTY_RECORD, hasUsableToken, isRejected, type SlotRecord } from '../../functions/core/slot/record.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { isLeaseForLogin, judgeWrite, wayOf, wayStateOf } from '../simulation/invariants-of-writes.ts';
import type { TableWrite } from '../simulation/memory-table.ts';
import type { Plan, Process } from './plan.ts';

/** Facts of a process that the invariants need. */
interface Facts {
  /** Leases that it took or was given. */
  readonly leases: string[];
  /** Hashes of the tokens that it may judge: those it used, or was told to be dead. */
  readonly tokens: string[];
  /** Its last request to the upstream, the time until which that can be in flight, and the purges before it. */
  sent?: { readonly kind: Sent; readonly until: number; readonly purges: number };
  /** Set if a good token was there ever since it began. */
  isServed: boolean;
  /** Set if its attempt began after a refusal of the secret's version was recorded. */
  isWarned: boolean;
  /** Set if its attempt began after the token was reported dead. */
  isTold: boolean;
  /** The version of the secret with which the upstream refused its login. */
  refusedWith?: string;
  /** The last failure that it read of. */
  failure?: SlotRecord['failure'];
  /** Set if it could not open the token. */
  isShutOut: boolean;
  /** Set if a caller waits for it. */
  isAwaited: boolean;
  /** Set if the upstream said that the session it slid has ended. */
  hasNoSession: boolean;
  /** Set if it was issued a token that is not published yet. */
  hasToken: boolean;
  /** The purges before its attempt or call began. */
  purges: number;
}

type Sent = 'login' | 'slide' | 'call' | 'logout';
type Check = (by: Process, write: { readonly before: SlotRecord | undefined; readonly after: SlotRecord }) => void;

const SENT: ReadonlySet<string> = new Set<Sent>(['login', 'slide', 'call', 'logout']);
const FIRST_BACK_OFF_MS = 30_000;
const LONGEST_BACK_OFF_MS = 900_000;

/** Creates the check of the invariants against each step of a small world. Its memory is part of the world's state. */
export function createProperties(
  plan: Plan,
  now: () => number,
  processes: readonly Process[],
  found: (invariant: string, what: string) => void,
) {
  const { connection, start } = plan;
  const facts = new Map<Process, Facts>();
  const leaseEnds = new Map<string, number>();
  const used = new Set<string>();
  /** Hashes of tokens whose session has ended, and that was to be noted. */
  const ended = new Set<string>();
  const reported = start?.record?.token?.hash;
  let newest = findSerial(reported);
  const attempts = { login: start?.record?.tries ?? 0, renewal: start?.record?.renewalTries ?? 0 };
  let purges = 0;
  let isRefused = false;
  let isDeleted = false;
  let isForLogin = false;
  let version: string | undefined;

  function factsOf(process: Process): Facts {
    const known = facts.get(process) ?? {
      ...{ leases: [], tokens: [], isServed: false, isWarned: false, isTold: false },
      ...{ isShutOut: false, isAwaited: false, hasNoSession: false, hasToken: false, purges: 0 },
    };
    facts.set(process, known);
    return known;
  }

  function isGood(record: SlotRecord | undefined): boolean {
    return record !== undefined && hasUsableToken(record, now(), connection.minTtlSeconds);
  }

  /** Reports whether a process waits for the upstream, or has died while it did. */
  function isSending({ state, pending }: Process): boolean {
    return state !== 'ended' && pending.some(({ what }) => SENT.has(what));
  }

  const workBegins: Check = (by, { before }) => {
    factsOf(by).purges = purges;
    factsOf(by).isWarned = isRefused;
    factsOf(by).isTold = before !== undefined && isRejected(before);
  };

  const leaseIsOwn: Check = (by, { before }) => {
    const lease = before?.lease?.id;
    if (lease === undefined || !factsOf(by).leases.includes(lease))
      found('3', `${by.name} writes under another's lease`);
  };

  const tokenIsKnown: Check = (by, { before }) => {
    const isKnown = factsOf(by).tokens.includes(before?.token?.hash ?? '');
    if (!isKnown) found('16', `${by.name} judges a token that it knows nothing of`);
  };

  const tokenIsPlaced: Check = (by, { after: { token, refusedVersion } }) => {
    const serial = findSerial(token?.hash);
    const { sent } = factsOf(by);
    if (serial === 0) found('17', `${by.name} puts in place what nobody issued`);
    if (serial <= newest && plan.reissues !== true)
      found('7', `${by.name} puts an older token in the place of a newer`);
    if (sent !== undefined && sent.purges < purges)
      found('7', `${by.name} publishes what was asked for before a purge`);
    if (sent?.kind === 'login') {
      if (refusedVersion !== undefined) found('5', `${by.name} logged in, and its version stays refused`);
      isRefused = false;
    }
    newest = Math.max(newest, serial);
    Object.assign(attempts, { login: 0, renewal: 0 });
  };

  const checks: Readonly<Record<string, readonly Check[]>> = {
    acquire: [
      workBegins,
      (by, { before = EMPTY_RECORD, after }) => {
        if (before.failure !== factsOf(by).failure) found('5', `${by.name} takes a lease unaware of a failure`);
        const isDue = (before.token?.refreshAt ?? 0) <= now() || before.unprovenVersion !== undefined;
        const isNeeded = isDue || !isGood(before) || isRejected(before) || factsOf(by).isShutOut;
        if (!isNeeded) found('4', `${by.name} takes a lease without need`);
        const way = wayOf({ before, after });
        const leastMs = Math.min(FIRST_BACK_OFF_MS * 2 ** attempts[way], LONGEST_BACK_OFF_MS);
        const takenAt = (after.lease?.until ?? 0) - leaseLengthMs(connection);
        const { notBefore } = wayStateOf(after, way);
        if (notBefore < takenAt + leastMs) found('6', `${by.name} takes a lease with too short a back-off`);
        attempts[way] += 1;
      },
    ],
    turnToLogin: [
      leaseIsOwn,
      (by, { before }) => {
        if (factsOf(by).hasNoSession) ended.add(before?.token?.hash ?? '');
        if (factsOf(by).purges < purges)
          found('4', `${by.name} turns to a login whose token is discarded after a purge`);
        attempts.login += 1;
      },
    ],
    begin: [leaseIsOwn, workBegins],
    publish: [
      leaseIsOwn,
      tokenIsPlaced,
      (by, { before, after: { lastHandedOutAt } }) => {
        factsOf(by).hasToken = false;
        const isNoted = lastHandedOutAt >= (before?.lease?.until ?? 0) - leaseLengthMs(connection);
        if (factsOf(by).isAwaited && !isNoted) found('11', `${by.name} publishes for a caller and notes no use`);
      },
    ],
    adopt: [tokenIsKnown, tokenIsPlaced],
    markRejected: [
      tokenIsKnown,
      (by, { before, after: { reports = '', reportedAt = 0 } }) => {
        const isCounted = reports !== '' && (reportedAt > (before?.reportedAt ?? 0) || reportedAt === now());
        if (by.role === 'report' && !isCounted) found('16', `${by.name} reports, and it does not count`);
      },
    ],
    barRenewal: [tokenIsKnown],
    borrow: [workBegins],
    beginCall: [
      workBegins,
      (by, { before }) => {
        factsOf(by).tokens.splice(0, Infinity, before?.token?.hash ?? '');
      },
    ],
    release: [
      leaseIsOwn,
      (by) => {
        const own = factsOf(by);
        if (own.hasToken && own.purges === purges) found('4', `${by.name} drops the token that it was issued`);
      },
    ],
    defer: [
      leaseIsOwn,
      (by) => {
        attempts.login -= 1;
        if (factsOf(by).sent !== undefined) found('21', `${by.name} puts off what it has sent`);
      },
    ],
    fail: [
      leaseIsOwn,
      (by, { before, after }) => {
        const lease = before?.lease?.id ?? '';
        const sender = processes.find(
          (other) => other !== by && isSending(other) && factsOf(other).leases.at(-1) === lease,
        );
        if (sender !== undefined) found('3', `${by.name} ends the lease under which ${sender.name} sends`);
        if (factsOf(by).refusedWith === version) isRefused = true;
        const isSent = by.role !== 'mint' || factsOf(by).sent !== undefined;
        const isLook = ['upstream_credential_rejected', 'cooldown'].includes(after.failure?.code ?? '');
        if (isSent || !isLook) return;
        attempts.login -= 1;
        if (after.tries >= (before?.tries ?? 0)) found('5', `${by.name} counts a look at the secret as a try`);
      },
    ],
    endProof: [(_, { before }) => before?.unprovenVersion === version && found('29', 'nobody proves the version')],
    purge: [
      () => {
        purges += 1;
        Object.assign(attempts, { login: 0, renewal: 0 });
        isRefused = false;
      },
    ],
  };

  return {
    hasRead(process: Process, record: SlotRecord | undefined): void {
      factsOf(process).failure = record?.failure;
    },

    /** Notes that a process works under this lease from now on. */
    given(process: Process, lease: string): void {
      factsOf(process).leases.push(lease);
    },

    /** Notes that a caller asked for this work under its lease. */
    asked(process: Process, lease: string): void {
      factsOf(process).leases.push(lease);
      factsOf(process).isAwaited = true;
    },

    sessionEnded(process: Process): void {
      factsOf(process).hasNoSession = true;
    },

    issued(process: Process): void {
      factsOf(process).hasToken = true;
    },

    started(process: Process, record: SlotRecord | undefined): void {
      factsOf(process).isServed = process.role === 'get' && isGood(record);
      if (process.role === 'report' && reported !== undefined) factsOf(process).tokens.push(reported);
    },

    refused(process: Process, refusedWith: string): void {
      factsOf(process).refusedWith = refusedWith;
    },

    unopened(process: Process): void {
      Object.assign(factsOf(process), { isShutOut: true, isServed: false });
    },

    /** Notes that the item is gone: generations begin again. */
    deleted(): void {
      isDeleted = true;
      Object.assign(attempts, { login: 0, renewal: 0 });
    },

    /** Notes that the secret has a version that was never refused. */
    renewed(next: string): void {
      version = next;
      isRefused = false;
    },

    written(by: Process, write: TableWrite): void {
      const { operation, before, after } = write;
      if (after === undefined) return;
      const lease = after.lease;
      if (lease !== undefined) leaseEnds.set(lease.id, lease.until);
      const moment = { at: now(), slackMs: 0, isRaced: processes.length > 1, isDeleted, isForLogin, connection };
      isForLogin = isLeaseForLogin(write, isForLogin);
      judgeWrite(write, moment, (invariant, what) => found(invariant, `${by.name}: ${what}`));
      for (const check of checks[operation] ?? []) check(by, { before, after });
    },

    /** Checks a request to the upstream as it begins. */
    sent(by: Process, kind: Sent, timeoutMs: number, token?: string): void {
      const own = factsOf(by);
      const isExclusive = (each: Sent) => each !== 'call' || !connection.tokensOverlap;
      const rival = processes.find((other) => {
        const { sent } = factsOf(other);
        return isSending(other) && sent !== undefined && isExclusive(sent.kind) && now() < sent.until;
      });
      if (rival !== undefined && isExclusive(kind)) found('3', `${by.name} sends while ${rival.name} does`);
      const lease = own.leases.at(-1) ?? '';
      const isLate = now() + timeoutMs > (leaseEnds.get(lease) ?? 0);
      if (isExclusive(kind) && isLate) found('3', `${by.name} may outlast its lease`);
      const isAgain = used.has(lease) && !(kind === 'login' && own.sent?.kind === 'slide');
      if (kind !== 'call') {
        if (isAgain) found('3', `${by.name} sends again under one lease`);
        used.add(lease);
      }
      if (kind === 'login' && own.isWarned) found('5', `${by.name} logs in with a refused version`);
      const isOver = kind === 'slide' && ended.has(token ?? '') && plan.reissues !== true;
      if (isOver) found('16', `${by.name} slides a session that the upstream has ended`);
      if (kind === 'slide' && own.isTold) found('16', `${by.name} slides a session that was reported dead`);
      const isOther = kind === 'call' && isExclusive(kind) && token !== own.tokens[0];
      if (isOther) found('3', `${by.name} calls with a token that is not the current one`);
      if (token !== undefined) own.tokens.push(token);
      own.sent = { kind, until: now() + timeoutMs, purges };
    },

    /** Checks a logout as it begins and as it ends: the slot may not have what it may end. */
    logsOut(by: Process, hash: string, record: SlotRecord | undefined): void {
      const isInUse = connection.tokensOverlap ? record?.token?.hash === hash : record?.token !== undefined;
      if (isInUse) found('27', `${by.name} ends a token that the slot has`);
    },

    /** Notes who has lost a good token by this step. */
    stepped(record: SlotRecord | undefined): void {
      if (!isGood(record)) for (const each of facts.values()) each.isServed = false;
    },

    ended(process: Process): void {
      const { role, name, outcome } = process;
      const isBrokers = outcome instanceof BrokerError && outcome.code !== 'internal';
      if (outcome instanceof Error && !isBrokers) found('14', `${name} ends with ${outcome}`);
      if (isBrokers && factsOf(process).isServed) found('11', `${name} ends with ${outcome} beside a good token`);
      const hash = findHash(outcome);
      if (hash === undefined) return;
      if (findSerial(hash) === 0) found('17', `${name} is given what nobody issued`);
      const isGivenBack = role === 'report' && hash === reported && plan.reissues !== true;
      if (isGivenBack) found('16', `${name} is given what it reported dead`);
    },

    /** Lists what is remembered, as far as it can matter from here on. */
    listState(): unknown {
      const alive = processes.filter(({ state }) => state !== 'ended').map(factsOf);
      const is = [isRefused, isDeleted, isForLogin];
      return [newest, { ...attempts }, purges, is, [...used].sort(), [...ended].sort(), alive];
    },
  };
}

function findHash(outcome: unknown): string | undefined {
  const isHandOut = typeof outcome === 'object' && outcome !== null && 'token' in outcome;
  return isHandOut ? (outcome.token as { readonly hash: string }).hash : undefined;
}

const serials = new Map<string, number>();

/** Creates the token that the upstream issues as its nth. */
export function createToken(serial: number): Secret<string> {
  const token = new Secret(`token-${serial}`);
  serials.set(hashOf(token), serial);
  return token;
}

/** Finds the number of a token by its hash; 0 if the upstream never issued it. */
export function findSerial(hash: string | undefined): number {
  return serials.get(hash ?? '') ?? 0;
}
