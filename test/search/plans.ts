import { NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { withLogout, workforceConnection } from '../simulation/connections.ts';
import { gatePlans } from './gate-plans.ts';
import type { Plan } from './plan.ts';
import { runToEnd } from './run-to-end.ts';

const connection = workforceConnection({ minTtlSeconds: 0, memorySeconds: 0, renewalCooldownSeconds: 0 });
const exclusive = workforceConnection({
  minTtlSeconds: 0,
  memorySeconds: 0,
  renewalCooldownSeconds: 0,
  tokensOverlap: false,
});

const good = await runToEnd({ connection, roles: ['get'], faults: {} });
const called = await runToEnd({ connection: exclusive, roles: ['call'], isOneCaller: true, faults: {}, start: good });
const { refreshAt = 0, usableUntil = 0 } = good.record.token ?? {};
const due = { ...good, at: refreshAt + 1 };
/** One second before its item may be deleted. */
const last = { ...good, at: usableUntil - 1_000 };
const ended = { ...good, at: good.record.ttlSeconds * 1000 + 1 };
/** The same token, of a publication that no function of a world makes again. */
const endedBefore = {
  ...ended,
  record: { ...ended.record, token: good.record.token && { ...good.record.token, publicationId: 'before' } },
};
const purged = await runToEnd({ connection, roles: ['delete'], faults: {}, start: good });
const failed = await runToEnd({ connection, roles: ['get'], faults: { 'unknown outcome': 1 } });
const forgotten = { ...failed, at: failed.record.ttlSeconds * 1000 - 1_000 };
const limping = await runToEnd({ connection, roles: ['schedule'], faults: { 'unknown outcome': 1 }, start: due });
const reported = await runToEnd({ connection, roles: ['report'], faults: {}, start: good });
const slipped = await runToEnd({
  connection,
  roles: ['schedule'],
  slides: true,
  faults: { 'unknown outcome': 1 },
  start: due,
});
/** Due at once, although its back-off is on: as a rotation leaves a slot that fails again. */
const early = { record: { ...slipped.record, dueAt: slipped.at }, at: slipped.at };
const slipping = { ...slipped, at: (slipped.record.renewalNotBefore ?? 0) + 1 };
const refusing = await runToEnd({ connection, roles: ['get'], faults: { 'refused login': 1 } });
const idle = { ...good, at: good.at + connection.idleSeconds * 1000 + 1 };
const restless = { ...connection, idleSeconds: 60 };
const lasting = { ...connection, lifetimeSeconds: 200_000, maxTokenAgeSeconds: 200_000 };
const rested = { ...good, at: good.at + 61_000 };
const off = await runToEnd({ connection: restless, roles: ['schedule'], faults: {}, start: rested });

/** With a logout; its tokens live for less than a lease. */
const leaving = withLogout({ ...connection, lifetimeSeconds: 10 });
const left = await runToEnd({ connection: leaving, roles: ['get'], faults: {} });
const leavingAlone = withLogout(exclusive);
const asked = await runToEnd({ connection, roles: ['rotate'], faults: {}, start: good });
const askedLate = { ...asked, at: refreshAt + 1 };
/** An older version was to be proven, and the current one has been. */
const judged = {
  at: asked.at,
  record: { ...asked.record, unprovenVersion: 'version-0' },
  logins: { ...NO_LOGINS, secretVersion: 'version-1', standing: 'proven' as const },
};
const refusedInUse = await runToEnd({ connection, roles: ['schedule'], faults: { 'refused login': 1 }, start: due });
const askedAtTheEnd = { ...asked, at: usableUntil + 1 };

/** Small worlds. Together they need every part of every change of a slot. */
export const plans: readonly Plan[] = [
  ...gatePlans,
  // Two callers who find nothing, and the faults of one attempt.
  { name: 'crash, lost reply', connection, roles: ['get', 'get'], faults: { crash: 1, 'lost reply': 1 } },
  {
    name: 'lapse, unknown outcome',
    connection,
    roles: ['get'],
    later: ['get'],
    faults: { time: 1, 'unknown outcome': 1 },
  },
  { name: 'invoked twice', connection, roles: ['get', 'get'], faults: { 'invoked twice': 1 } },
  {
    name: 'invoked twice, lost reply',
    connection,
    roles: ['get'],
    faults: { 'invoked twice': 1, 'lost reply': 1 },
  },
  { name: 'not invoked', connection, roles: ['get', 'get'], faults: { 'not invoked': 1 } },
  { name: 'deleted', connection, roles: ['get', 'get'], faults: { deletion: 1 }, start: ended },
  {
    name: 'deleted, reissued',
    connection,
    roles: ['get', 'get'],
    reissues: true,
    faults: { deletion: 1 },
    start: endedBefore,
  },
  {
    name: 'not opened',
    connection,
    roles: ['get', 'get'],
    faults: { unopened: 2, 'unknown outcome': 1 },
  },
  { name: 'longer than a lease', connection: lasting, roles: ['get'], faults: {} },
  // A failure, and the attempt after it.
  { name: 'failed again', connection, roles: ['get'], faults: { 'unknown outcome': 1 }, start: failed },
  { name: 'refused again', connection, roles: ['get'], faults: {}, start: refusing },
  { name: 'refused', connection, roles: ['schedule'], faults: { 'refused login': 1 }, start: due },
  // A new version of the secret: who is held back, and who proves it.
  { name: 'rotated', connection, roles: ['schedule', 'rotate'], faults: {}, start: due },
  {
    name: 'rotated late',
    connection,
    roles: ['schedule'],
    later: ['schedule', 'rotate'],
    faults: { time: 1 },
    start: refusing,
  },
  { name: 'rotated, refused', connection, roles: ['get', 'rotate'], faults: { 'refused login': 1 }, start: refusing },
  { name: 'to prove', connection, roles: ['schedule'], faults: { 'refused login': 1 }, start: asked },
  { name: 'to prove, slid', connection, roles: ['schedule', 'call'], slides: true, faults: {}, start: askedLate },
  { name: 'to prove, called for', connection, roles: ['get', 'schedule'], faults: {}, start: askedAtTheEnd },
  { name: 'proof judged, rotated', connection, roles: ['schedule', 'rotate'], faults: {}, start: judged },
  { name: 'rotated, refused in use', connection, roles: ['rotate'], faults: {}, start: refusedInUse },
  { name: 'proof and deletion', connection, roles: ['rotate'], faults: { deletion: 1 }, start: last },
  { name: 'rotated in use', connection, roles: ['rotate'], faults: {}, start: limping },
  { name: 'rotated and deleted', connection, roles: ['rotate'], faults: { deletion: 1 }, start: forgotten },
  // A renewal that fails, and the login after it.
  {
    name: 'slide fails again',
    connection,
    roles: ['schedule'],
    slides: true,
    faults: { 'unknown outcome': 1 },
    start: slipping,
  },
  {
    name: 'slide, login',
    connection,
    roles: ['schedule'],
    slides: true,
    faults: { unauthorized: 1, 'lost reply': 1 },
    start: due,
  },
  {
    name: 'slide, login, purge',
    connection,
    roles: ['schedule', 'delete'],
    slides: true,
    faults: { unauthorized: 1, 'unknown outcome': 1 },
    start: slipping,
  },
  {
    name: 'slide, login, lapse',
    connection,
    roles: ['schedule'],
    later: ['schedule'],
    slides: true,
    faults: { unauthorized: 1, 'unknown outcome': 1, time: 1 },
    start: due,
  },
  {
    name: 'slide fails, lapse',
    connection,
    roles: ['schedule'],
    later: ['schedule'],
    slides: true,
    faults: { 'unknown outcome': 1, time: 1 },
    start: due,
  },
  // Refresh ahead.
  { name: 'due', connection, roles: ['get', 'schedule'], faults: { 'stale read': 1 }, start: due },
  { name: 'due, two callers', connection, roles: ['get', 'get'], faults: {}, start: due },
  { name: 'idle', connection, roles: ['schedule', 'get'], faults: {}, start: idle },
  { name: 'idle alone', connection, roles: ['schedule'], faults: {}, start: idle },
  { name: 'idle, used', connection: restless, roles: ['schedule', 'get'], faults: {}, start: rested },
  { name: 'due early, slid', connection, roles: ['schedule', 'call'], slides: true, faults: {}, start: early },
  { name: 'idle, called', connection, roles: ['schedule', 'call'], slides: true, faults: {}, start: idle },
  { name: 'off the schedule', connection: restless, roles: ['get'], faults: {}, start: off },
  { name: 'used and deleted', connection, roles: ['get'], faults: { deletion: 1 }, start: last },
  { name: 'failed and deleted', connection, roles: ['schedule'], faults: { deletion: 1 }, start: forgotten },
  // Reports and purges.
  { name: 'two reports', connection, roles: ['report', 'report'], faults: {}, start: good },
  { name: 'report, slide', connection, roles: ['report', 'schedule'], slides: true, faults: {}, start: due },
  { name: 'reported and deleted', connection, roles: ['report'], later: ['get'], faults: { deletion: 1 }, start: last },
  { name: 'reissued, report', connection, roles: ['report', 'schedule'], reissues: true, faults: {}, start: due },
  { name: 'purge', connection, roles: ['get', 'delete'], faults: {}, start: ended },
  { name: 'purge again', connection, roles: ['schedule', 'delete'], faults: {}, start: purged },
  { name: 'purge of a failed slide', connection, roles: ['delete'], faults: {}, start: slipped },
  { name: 'purge of a report', connection, roles: ['delete'], faults: {}, start: reported },
  { name: 'purge of a refusal', connection, roles: ['delete'], faults: {}, start: refusing },
  { name: 'purged and deleted', connection, roles: ['delete'], faults: { deletion: 1 }, start: ended },
  // Purges that end the token at the upstream.
  { name: 'logout', connection: leaving, roles: ['delete', 'get'], faults: {}, start: left },
  { name: 'logout, reissued', connection: leaving, roles: ['delete', 'get'], reissues: true, faults: {}, start: left },
  { name: 'logout, twice', connection: leaving, roles: ['delete', 'delete'], faults: {}, start: left },
  { name: 'logout, exclusive', connection: leavingAlone, roles: ['delete', 'schedule'], faults: {}, start: left },
  // Proxied calls that may go side by side.
  { name: 'calls', connection, roles: ['call', 'call'], slides: true, faults: {}, start: due },
  {
    name: 'call, schedule',
    connection,
    roles: ['call', 'schedule'],
    slides: true,
    faults: { unauthorized: 1 },
    start: due,
  },
  { name: 'call after a failed slide', connection, roles: ['call'], slides: true, faults: {}, start: slipped },
  { name: 'call after a failure', connection, roles: ['call'], slides: true, faults: {}, start: limping },
  {
    name: 'call, deleted',
    connection,
    roles: ['call'],
    later: ['get'],
    slides: true,
    faults: { deletion: 1 },
    start: last,
  },
  { name: 'rejected twice', connection, roles: ['call', 'schedule'], faults: { unauthorized: 2 }, start: due },
  { name: 'rejected twice, purged', connection, roles: ['call', 'delete'], faults: { unauthorized: 2 }, start: good },
  { name: 'rejected thrice', connection, roles: ['call', 'call'], faults: { unauthorized: 3 }, start: good },
  {
    name: 'reissued, call',
    connection,
    roles: ['call', 'schedule'],
    slides: true,
    reissues: true,
    faults: { unauthorized: 1 },
    start: due,
  },
  // Proxied calls that must go one at a time.
  { name: 'exclusive', connection: exclusive, roles: ['call', 'call'], slides: true, faults: {}, start: good },
  {
    name: 'exclusive, one caller',
    connection: exclusive,
    roles: ['call', 'call'],
    isOneCaller: true,
    faults: {},
    start: called,
  },
  { name: 'exclusive, in line', connection: exclusive, roles: ['call', 'call', 'call'], faults: {}, start: good },
  {
    name: 'exclusive, deleted in line',
    connection: { ...exclusive, lifetimeSeconds: 20 },
    roles: ['schedule', 'call'],
    faults: { deletion: 1 },
    start: ended,
  },
  {
    name: 'exclusive, reissued',
    connection: exclusive,
    roles: ['call', 'schedule'],
    slides: true,
    reissues: true,
    faults: { unauthorized: 1 },
    start: due,
  },
  {
    name: 'exclusive, purged',
    connection: exclusive,
    roles: ['call', 'delete'],
    slides: true,
    faults: {},
    start: good,
  },
  {
    name: 'exclusive, deleted',
    connection: exclusive,
    roles: ['call'],
    later: ['call'],
    slides: true,
    faults: { deletion: 1 },
    start: last,
  },
];

const everyFault = { crash: 1, 'lost reply': 1, time: 1 };

/** Worlds of some 100,000 states and more; a quarter of an hour of work. */
export const largestPlans: readonly Plan[] = [
  { name: 'due, every fault', connection, roles: ['get', 'schedule'], faults: everyFault, start: due },
  { name: 'two callers, every fault', connection, roles: ['get', 'get'], faults: everyFault },
  { name: 'invoked twice, lapse', connection, roles: ['get', 'get'], faults: { 'invoked twice': 1, time: 1 } },
  { name: 'purge, every fault', connection, roles: ['get', 'delete'], faults: everyFault, start: ended },
];

/** Worlds in which more goes wrong at once; half a minute of work. */
export const largerPlans: readonly Plan[] = [
  { name: 'two reports, crash', connection, roles: ['report', 'report'], faults: { crash: 1 }, start: good },
  {
    name: 'exclusive, crash',
    connection: exclusive,
    roles: ['call', 'call'],
    slides: true,
    faults: { crash: 1, 'lost reply': 1, time: 1 },
    start: good,
  },
  { name: 'three callers', connection, roles: ['get', 'get', 'get'], faults: {} },
];
