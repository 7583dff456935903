import { NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import type { Plan } from './plan.ts';
import { runToEnd } from './run-to-end.ts';

const shared = helpdeskConnection({
  ...{ minTtlSeconds: 0, memorySeconds: 0, renewalCooldownSeconds: 0, lifetimeSeconds: 1_200 },
});
const NOBODY = '2';
/** Two subjects before a version that nobody has logged in with. */
const gated = { connection: shared, subjects: ['1', NOBODY], faults: {} } as const;
const at = 1_800_000_000_000;
const handedOut = await runToEnd({ connection: shared, roles: ['get'], faults: {} });
const dueOfAnother = {
  at,
  record: {
    ...handedOut.record,
    ...(handedOut.record.token && {
      token: { ...handedOut.record.token, refreshAt: at - 1, secretVersion: 'version-0' },
    }),
  },
};
/** Two slots that are due, with tokens of an older version. */
const gatedDue = { ...gated, roles: ['schedule', 'schedule'], start: dueOfAnother } as const;
const createFailed = (count: number, kind: 'refused' | 'unknown') =>
  new Set(Array.from({ length: count }, (_, n) => `${at - 60_000 - n} ${kind} before-${n}`));
/** One more login may be refused, or one more may fail. */
const nearlyLocked = { at, logins: { ...NO_LOGINS, failed: createFailed(2, 'refused') } };
const nearlyFull = { at, logins: { ...NO_LOGINS, failed: createFailed(2, 'unknown') } };

/** A user was refused this version six minutes ago, and another may try it. */
const refusedBefore = {
  logins: {
    ...NO_LOGINS,
    secretVersion: 'version-1',
    refusals: 1,
    failed: new Set([`${at - 360_000} refused before`]),
  },
};

/** Small worlds of the gate of logins: slots of one connection, and a version that is not proven. */
export const gatePlans: readonly Plan[] = [
  { ...gated, name: 'gate', roles: ['get', 'get'] },
  { ...gated, name: 'gate, refused', roles: ['get', 'get'], faults: { 'refused login': 2 }, start: nearlyLocked },
  { ...gated, name: 'gate, no answer', roles: ['get', 'get'], faults: { 'unknown outcome': 2 }, start: nearlyFull },
  {
    ...gatedDue,
    name: 'gate, refused before',
    start: { ...dueOfAnother, ...refusedBefore },
    faults: { 'refused login': 2 },
  },
  { ...gatedDue, name: 'gate, due', faults: { 'refused login': 2 } },
  { ...gatedDue, name: 'gate, due, crash', faults: { crash: 1, 'refused login': 1 } },
  { ...gatedDue, name: 'gate, due, lost reply', faults: { 'lost reply': 1, 'refused login': 1 } },
  {
    ...gatedDue,
    name: 'gate, due, lapse',
    roles: ['schedule'],
    later: ['schedule'],
    faults: { time: 1, crash: 1, 'refused login': 1 },
  },
  { ...gatedDue, name: 'gate, system', subjects: ['1', 'system'], faults: { 'refused login': 2, crash: 1 } },
  {
    ...gatedDue,
    name: 'gate, almost locked',
    start: { ...dueOfAnother, ...nearlyLocked },
    faults: { 'refused login': 2, crash: 1 },
  },
];
