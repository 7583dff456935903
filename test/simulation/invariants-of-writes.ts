import { readTurns, type Ticket } from '../../functions/core/proxy/turns.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { MintWay } from '../../functions/core/slot/mint-message.ts';
import { EMPTY_RECORD, expiresAtOf, type SlotRecord } from '../../functions/core/slot/record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/slot/token.ts';
import type { Watch } from './happenings.ts';
import type { TableWrite } from './memory-table.ts';
import type { Watched } from './run.ts';

/** Time of a write (true time), and how far the writer's clock may be off. */
export interface Moment {
  readonly at: number;
  readonly slackMs: number;
  /** Set if others may have written since the reading that the write rests on. */
  readonly isRaced: boolean;
  /** Set if the item was ever deleted: another token may have the same generation then. */
  readonly isDeleted: boolean;
  /** Set if the lease before the write, if there was one, was for a login. */
  readonly isForLogin: boolean;
}

type Found = (invariant: string, what: string) => void;
type Check = (
  write: { readonly before: SlotRecord; readonly after: SlotRecord },
  about: Moment & { readonly connection: Connection },
  found: Found,
) => void;

const NOTHING: ReadonlySet<string> = new Set(['ttl', 'spoil']);
const REFUSAL_KEPT_MS = 30 * 86_400_000;
const HALF_A_DAY_MS = 43_200_000;
const ASK_INTERVAL_MS = 30_000;
const USE_NOTED_SHARE = 0.1;
const REACTION_MS = 60_000;

/** The back-off of a way to a token, and the failure that it follows. */
export interface WayState {
  readonly notBefore: number;
  readonly tries: number;
  readonly failure: SlotRecord['failure'];
}

/** The state of logins, or of renewals, in a record. */
export function wayStateOf(record: SlotRecord, way: MintWay): WayState {
  if (way === 'login') return { notBefore: record.notBefore, tries: record.tries, failure: record.failure };
  const { renewalNotBefore = 0, renewalTries = 0, renewalFailure } = record;
  return { notBefore: renewalNotBefore, tries: renewalTries, failure: renewalFailure };
}

/** The way that a lease was taken for, or that failed: the one that the write changed. */
export function wayOf({ before, after }: { readonly before: SlotRecord; readonly after: SlotRecord }): MintWay {
  return isSame(wayStateOf(before, 'renewal'), wayStateOf(after, 'renewal')) ? 'login' : 'renewal';
}

/** Whether the lease is for a login after a write. One that takes no lease leaves that as it was. */
export function isLeaseForLogin({ operation, before, after }: TableWrite, was: boolean): boolean {
  if (operation === 'acquire')
    return after !== undefined && wayOf({ before: before ?? EMPTY_RECORD, after }) === 'login';
  if (operation === 'beginCall' || operation === 'borrow') return false;
  return was || operation === 'turnToLogin';
}

function isSame(one: WayState, other: WayState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** 23: what befalls a renewal leaves the logins' back-off as it was, and the other way round. */
const otherWayKept: Check = (write, _, found) => {
  const other = wayOf(write) === 'login' ? 'renewal' : 'login';
  if (!isSame(wayStateOf(write.before, other), wayStateOf(write.after, other)))
    found('23', `a ${wayOf(write)} changed the back-off of another way`);
};

const leaseTaken: Check = ({ before, after }, { at, slackMs }, found) => {
  if ((before.lease?.until ?? 0) > at + slackMs) found('3', 'a live lease was taken over');
  if (after.fence <= before.fence) found('7', 'a lease was taken that no fence tells from the one before');
  if (after.ttlSeconds * 1000 < (after.lease?.until ?? 0)) found('3', 'an item may be deleted under its lease');
};

const leaseEnded: Check = ({ after }, _, found) => {
  if (after.lease !== undefined) found('18', 'a lease outlived its attempt');
};

const tokenPlaced: Check = ({ before, after }, _, found) => {
  const { token } = after;
  const isLeft = (['login', 'renewal'] as const).some((way) => isTroubled(wayStateOf(after, way)));
  if (after.generation <= before.generation) found('7', `generation ${after.generation} is no advance`);
  if (isLeft) found('18', 'a failure outlived the next token');
  if (token === undefined || after.dueAt !== token.refreshAt) found('11', 'a token is not due when it should be');
  if (token !== undefined && after.ttlSeconds * 1000 < expiresAtOf(token) - CLOCK_SKEW_MS)
    found('11', 'an item may be deleted before its token ends');
};

function isTroubled({ notBefore, tries, failure }: WayState): boolean {
  return notBefore > 0 || tries > 0 || failure !== undefined;
}

function turnsOf({ turns }: SlotRecord) {
  return readTurns(turns, Number.NEGATIVE_INFINITY);
}

/** The tickets in line that no clock takes for given up. */
function stillWaiting(record: SlotRecord, { at, slackMs }: Moment): readonly Ticket[] {
  return turnsOf(record).line.filter(({ until }) => until > at + slackMs);
}

function hasTicket(line: readonly Ticket[], { id }: Ticket): boolean {
  return line.some((ticket) => ticket.id === id);
}

/** Checks of a write by the item before and after it. */
const checks: Readonly<Partial<Record<TableWrite['operation'], readonly Check[]>>> = {
  acquire: [
    leaseTaken,
    otherWayKept,
    (write, { at, slackMs }, found) => {
      const way = wayOf(write);
      if (wayStateOf(write.before, way).notBefore > at + slackMs)
        found('6', 'a lease was taken while a back-off was on');
      const { notBefore } = wayStateOf(write.after, way);
      if (notBefore < (write.after.lease?.until ?? 0)) found('6', 'a lease was taken without a back-off');
    },
  ],
  turnToLogin: [
    ({ before, after }, { at, slackMs }, found) => {
      if (before.notBefore > at + slackMs) found('6', 'a login follows a renewal while a back-off was on');
      if (after.notBefore < (after.lease?.until ?? 0)) found('6', 'a login follows a renewal without a back-off');
      if (after.tries <= before.tries) found('6', 'a login after a renewal counts as no try');
      if (after.lease?.id !== before.lease?.id) found('3', 'a login follows a renewal under another lease');
    },
  ],
  beginCall: [
    leaseTaken,
    ({ before, after }, about, found) => {
      const { id = '' } = after.lease ?? {};
      const { last, line } = turnsOf(after);
      const was = turnsOf(before).line;
      const place = was.findIndex((ticket) => ticket.id === id);
      const others = stillWaiting(before, about).filter((ticket) => ticket.id !== id);
      if (last === '' || (place >= 0 && last !== was[place]?.caller)) found('26', 'nobody can tell whose turn it was');
      const ahead = place < 0 ? others : others.filter((ticket) => hasTicket(was.slice(0, place), ticket));
      if (ahead.length > 0) found('26', 'a call began before one that came first');
      if (turnsOf(before).last === last && others.some(({ caller }) => caller !== last))
        found('26', 'a caller had two turns in a row while another waited');
      if (line.some((ticket) => ticket.id === id)) found('26', 'a call that began stays in line');
      if (others.some((ticket) => !hasTicket(line, ticket))) found('26', 'a call lost its place to one that began');
    },
  ],
  changeTurns: [
    ({ before, after }, about, found) => {
      const [was, is] = [turnsOf(before), turnsOf(after)];
      const joined = is.line.filter((ticket) => !hasTicket(was.line, ticket));
      const lost = stillWaiting(before, about).filter((ticket) => !hasTicket(is.line, ticket));
      if (joined.length + lost.length > 1) found('26', 'a call lost its place to one that joined or left');
      if (after.turns === before.turns) found('26', 'a call joined or left, and nobody can tell');
      const callers = stillWaiting(after, about).map(({ caller }) => caller);
      if (new Set(callers).size < callers.length) found('26', 'a caller has two calls in line');
      if (was.last !== is.last) found('26', 'a turn was forgotten');
    },
  ],
  borrow: [
    leaseTaken,
    ({ after }, _, found) => {
      if (after.lease === undefined) found('3', 'a lease was borrowed that nobody has');
    },
  ],
  publish: [
    tokenPlaced,
    leaseEnded,
    ({ after: { token, unprovenVersion } }, { slackMs }, found) => {
      // A clock far off may ask a slot at work. That costs a look, and so does asking a slot whose token slides.
      const isAgreed = Number.isFinite(slackMs);
      const isLogin = token?.sessionStartedAt === token?.issuedAt;
      if (isAgreed && isLogin && token?.secretVersion === unprovenVersion)
        found('5', 'a version that brought a token is still to be proven');
    },
  ],
  adopt: [
    tokenPlaced,
    ({ before }, { at, slackMs }, found) => {
      if ((before.lease?.until ?? 0) > at + slackMs) found('4', 'a slide was taken up while a mint was under way');
    },
  ],
  fail: [
    leaseEnded,
    otherWayKept,
    (write, _, found) => {
      const { refusedVersion, dueAt, ttlSeconds, token } = write.after;
      const { failure, notBefore } = wayStateOf(write.after, wayOf(write));
      const failedAt = failure?.at ?? 0;
      // A refused slot with a good token is due when that is.
      const refreshAt = refusedVersion === undefined ? 0 : (token?.refreshAt ?? 0);
      const freeAt = Math.max(write.after.notBefore, write.after.renewalNotBefore ?? 0, refreshAt);
      const isToldOff = dueAt === undefined && refusedVersion !== undefined;
      if (failure === undefined || failure === wayStateOf(write.before, wayOf(write)).failure)
        found('18', 'a failure left no word of it');
      if (notBefore <= failedAt) found('6', 'a failure left no back-off');
      if (!isToldOff && (dueAt === undefined || dueAt < failedAt || dueAt > freeAt))
        found('5', 'a failed slot is due at another time than there is a way to a token');
      if (isToldOff && ttlSeconds * 1000 < failedAt + REFUSAL_KEPT_MS) found('5', 'a refusal may be forgotten early');
      if (write.after.failure?.code === 'upstream_subject_rejected' && refusedVersion !== undefined)
        found('5', "a subject's own refusal is held against the credential");
    },
  ],
  release: [leaseEnded],
  defer: [
    ({ before, after }, { slackMs }, found) => {
      const isAgain = after.lease?.until === before.lease?.until;
      // A clock that is far ahead takes a lease that was put off since the reading, and does not know of the try.
      const isKnown = Number.isFinite(slackMs) && before.tries > 0;
      if (isKnown && !isAgain && after.tries >= before.tries) found('21', 'what was put off counts as a try');
    },
  ],
  askRefresh: [
    ({ before: { token, refreshAskedAt }, after }, { at, slackMs, isDeleted }, found) => {
      if (!isDeleted && (token?.refreshAt ?? 0) > at + slackMs) found('4', 'a refresh was asked for before its time');
      if (at + slackMs - refreshAskedAt < ASK_INTERVAL_MS) found('4', 'a refresh was asked for again within 30 s');
      if (after.refreshAskedAt <= refreshAskedAt) found('4', 'a refresh was asked for, and nobody can tell');
    },
  ],
  recordUse: [
    ({ before: { lastHandedOutAt, dueAt, refusedVersion }, after }, { at, slackMs, isRaced, connection }, found) => {
      const intervalMs = connection.idleSeconds * 1000 * USE_NOTED_SHARE;
      if (at + slackMs - lastHandedOutAt < intervalMs) found('4', 'a use was noted again');
      if (after.lastHandedOutAt <= lastHandedOutAt) found('11', 'a use was not noted');
      if (dueAt !== undefined && after.dueAt !== dueAt) found('11', 'a noted use moved the slot on the schedule');
      const isForgotten = !isRaced && after.dueAt === undefined && refusedVersion === undefined;
      if (isForgotten) found('11', 'a slot in use is not on the schedule');
    },
  ],
  markRejected: [
    ({ after }, _, found) => {
      if (after.rejectedGeneration !== after.generation) found('16', 'a report was written down of no current token');
    },
  ],
  barRenewal: [
    ({ after: { token, renewalBarredUntil } }, _, found) => {
      if (token === undefined || renewalBarredUntil === undefined) found('16', 'a bar on renewals bars nothing');
    },
  ],
  reschedule: [
    ({ before, after: { dueAt, token, notBefore, lastHandedOutAt } }, { at, slackMs, isRaced, connection }, found) => {
      if (!isRaced && dueAt === before.dueAt) found('11', 'a slot is still due when it was');
      const isIdle = at + slackMs - lastHandedOutAt > connection.idleSeconds * 1000;
      if (dueAt === undefined && !isIdle) found('11', 'a slot in use was taken off the schedule');
      const isFresh = token !== undefined && token.refreshAt > at + slackMs && notBefore === 0;
      if (dueAt !== undefined && isFresh && dueAt !== token.refreshAt)
        found('11', 'a token is not due when it should be');
    },
  ],
  purge: [
    ({ before, after }, { at }, found) => {
      const { token, refusedVersion, dueAt, renewalBarredUntil, reports, reportedAt } = after;
      if (after.ttlSeconds * 1000 < at + HALF_A_DAY_MS) found('7', 'generations may soon begin again after a purge');
      const all = [token, refusedVersion, dueAt, renewalBarredUntil, reports, reportedAt];
      const isLeft = all.some((each) => each !== undefined);
      const isAnyTroubled = (['login', 'renewal'] as const).some((way) => isTroubled(wayStateOf(after, way)));
      if (isLeft || isAnyTroubled) found('18', 'a purge left something behind');
      if (after.generation <= before.generation) found('7', 'a purge did not advance the generation');
      if (after.lease !== before.lease) found('3', "a purge touched a holder's lease");
    },
  ],
  endBackOff: [
    ({ before, after }, { at, slackMs, isRaced, isForLogin, connection }, found) => {
      const isInUse = at - before.lastHandedOutAt <= connection.idleSeconds * 1000;
      const isLate = !isRaced && isInUse && (after.dueAt === undefined || after.dueAt > at + 2 * REACTION_MS);
      if (after.notBefore > at + REACTION_MS + slackMs || isLate) found('5', 'a new version is not tried soon');
      if (after.refusedVersion !== before.refusedVersion) found('5', 'a refusal was forgotten');
      // A renewal has a back-off of its own, and a call has none.
      if (isForLogin && (before.lease?.until ?? 0) > at + slackMs) found('6', 'the back-off of a live lease was ended');
      const isLocked = before.failure?.code === 'upstream_account_locked' && before.notBefore > at + slackMs;
      if (isLocked) found('24', 'the back-off of a locked account was ended');
    },
  ],
  askProof: [
    ({ before, after }, { at, slackMs }, found) => {
      const isSoon = after.dueAt !== undefined && after.dueAt <= at + REACTION_MS + slackMs;
      if (after.unprovenVersion === undefined || !isSoon) found('29', 'a version is not proven soon');
      if ((before.lease?.until ?? 0) > at + slackMs) found('29', 'a slot at work was asked to prove a version');
    },
  ],
  endProof: [
    ({ after }, _, found) => {
      if (after.unprovenVersion !== undefined) found('29', 'a version is still to be proven that was judged');
    },
  ],
};

/** Checks one write, and reports what is wrong with it. */
export function judgeWrite(
  { operation, before, after }: TableWrite,
  about: Moment & { readonly connection: Connection },
  found: Found,
): void {
  if (NOTHING.has(operation) || after === undefined) return;
  if (before === undefined && operation !== 'acquire' && operation !== 'borrow')
    found('7', `${operation} made a part of an item`);
  if (after.generation < (before?.generation ?? 0))
    found('7', `generation ${after.generation} comes after a later one`);
  for (const check of checks[operation] ?? []) check({ before: before ?? EMPTY_RECORD, after }, about, found);
}

/** 3 to 7, 11, 16, 18, 23, 26: every write leaves the slot sound. */
export function writesAreSound({ run, connection, found }: Watched): Watch {
  const slackMs = run.scenario.isWithinSkew ? CLOCK_SKEW_MS : Number.POSITIVE_INFINITY;
  let isDeleted = false;
  let isForLogin = false;
  return {
    write(write) {
      const { at, operation } = write;
      const moment = { at, slackMs, isRaced: true, isDeleted, isForLogin, connection };
      isForLogin = isLeaseForLogin(write, isForLogin);
      if (operation === 'ttl') isDeleted = true;
      // A slot that is no longer configured is taken off the schedule.
      const isConfigured = run.world.connections[connection.name]?.fingerprint === connection.fingerprint;
      if (operation === 'reschedule' && !isConfigured) return;
      judgeWrite(write, moment, (invariant, what) => found(at, what, invariant));
    },
  };
}
