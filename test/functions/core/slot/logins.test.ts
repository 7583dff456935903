import { describe, expect, it } from 'vitest';
import {
  type Admission,
  admitLogin,
  changeLogins,
  endLogin,
  FAILED_COUNT_MS,
  forgetRefusals,
  type Login,
  type Logins,
  NO_LOGINS,
} from '../../../../functions/core/slot/logins.ts';
import { CLOCK_SKEW_MS } from '../../../../functions/core/slot/token.ts';

const NOW = 1_800_000_000_000;
const random = { uuid: () => 'id', fraction: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const user: Login = {
  ...{
    id: 'lease-1',
    subject: '88',
    secretVersion: 'v1',
    isSystem: false,
    hasSystem: true,
    isEvidence: false,
    until: NOW + 17_000,
    limit: undefined,
  },
};
const system: Login = { ...user, isSystem: true, isEvidence: true };
const admit = (seen: Logins, login = user, now = NOW): Admission => admitLogin(seen, login, now, random);
const end = (seen: Logins, counted: Parameters<typeof endLogin>[2], login = user) =>
  endLogin(seen, login, counted, NOW, random);

/** Marks of logins that ended so long ago. */
function marks(kind: 'begun' | 'refused' | 'unknown', ...agesMs: readonly number[]): readonly string[] {
  return agesMs.map((age, n) => `${NOW - age} ${kind} ${kind}-${n}`);
}

function failed(...all: readonly (readonly string[])[]): Logins {
  return { ...NO_LOGINS, failed: new Set(all.flat()) };
}

function begun(login = user, seen: Logins = NO_LOGINS): Logins {
  const admission = admit(seen, login);
  if (admission.may !== 'begin' || admission.next === undefined) throw new Error('it has not begun');
  return admission.next;
}

const proven: Logins = { ...NO_LOGINS, secretVersion: 'v1', standing: 'proven' };

describe('admitLogin', () => {
  it('lets the first login begin, alone, and counts it as failed until it has ended', () => {
    expect(begun()).toEqual({
      ...NO_LOGINS,
      secretVersion: 'v1',
      probe: { id: 'lease-1', until: NOW + 17_000 },
      notBefore: NOW + 30_000,
      failed: new Set([`${NOW + 17_000} begun lease-1`]),
    });
  });

  it('asks nothing of a proven version', () => {
    expect(admit(proven)).toEqual({ may: 'begin' });
  });

  it('has others wait while one is under way, to the millisecond', () => {
    const other = { ...user, id: 'lease-2' };
    const under = begun();
    expect(admit(under, other, NOW + 16_999)).toEqual({ may: 'wait' });
    expect(admit({ ...under, notBefore: 0 }, other, NOW + 17_000)).toMatchObject({ may: 'begin' });
  });

  it.each([
    ['users', user, { refusals: 1 }, 'begin'],
    ['users', user, { refusals: 1, failed: new Set(marks('refused', 300_000)) }, 'begin'],
    ['users', user, { refusals: 1, failed: new Set(marks('unknown', 1)) }, 'begin'],
    ['users', user, { refusals: 1, failed: new Set(marks('refused', 299_999)) }, 'not begin'],
    ['users alone', { ...user, hasSystem: false }, { refusals: 1, failed: new Set(marks('refused', 1)) }, 'begin'],
    ['users alone', { ...user, hasSystem: false }, { refusals: 2 }, 'not begin'],
    ['system', system, { refusals: 1, failed: new Set(marks('refused', 1)) }, 'begin'],
    ['users', user, { refusals: 2 }, 'not begin'],
    ['system', system, { refusals: 2 }, 'begin'],
    ['system', system, { refusals: 3 }, 'not begin'],
    ['users', user, { standing: 'refused' }, 'not begin'],
    ['system', system, { standing: 'refused' }, 'not begin'],
  ] as const)('lets %s (%#) with what is known of the version: %j', (_, login, known, may) => {
    expect(admit({ ...NO_LOGINS, secretVersion: 'v1', ...known }, login).may).toBe(may);
  });

  it('knows nothing of a version that is another', () => {
    const stopped: Logins = {
      ...NO_LOGINS,
      secretVersion: 'v0',
      standing: 'refused',
      refusals: 2,
      notBefore: NOW + 99,
    };
    expect(begun(user, stopped)).toMatchObject({ secretVersion: 'v1', standing: 'unproven', refusals: 0 });
  });

  it.each([
    ['users after three', user, [1, 2, 3], 3],
    ['system after four', system, [1, 2, 3, 4], 4],
  ] as const)('holds back %s that may have failed, until the oldest counts no more', (_, login, ages, oldest) => {
    const seen = failed(marks('unknown', ...ages));
    expect(admit(seen, login)).toEqual({ may: 'begin later', at: NOW - oldest + FAILED_COUNT_MS, why: 'failures' });
    expect(admit(failed(marks('unknown', ...ages.slice(1))), login).may).toBe('begin');
    expect(admit(seen, login, NOW - oldest + FAILED_COUNT_MS).may).toBe('begin');
  });

  it('holds back everybody after three that were refused', () => {
    expect(admit(failed(marks('refused', 1, 2, 3)), system)).toMatchObject({
      may: 'begin later',
      at: NOW - 3 + FAILED_COUNT_MS,
    });
    expect(admit(failed(marks('refused', 1, 2), marks('unknown', 3)), system).may).toBe('begin');
  });

  it('takes a login whose end nobody wrote down for one that was refused', () => {
    const seen = failed(marks('refused', 1, 2), marks('begun', 3));
    expect(admit(seen, system)).toEqual({ may: 'begin later', at: NOW - 3 + FAILED_COUNT_MS, why: 'failures' });
    const told = end(begun(system, failed(marks('refused', 1, 2))), 'unknown', system);
    expect(admit(told, { ...system, id: 'lease-2' }, told.notBefore).may).toBe('begin');
  });

  it('counts for half an hour and what two clocks may differ', () => {
    expect(FAILED_COUNT_MS).toBe(1_805_000);
    const kept = begun(user, failed(marks('unknown', FAILED_COUNT_MS, FAILED_COUNT_MS - 1)));
    expect([...kept.failed]).toEqual([
      ...marks('unknown', 0, FAILED_COUNT_MS - 1).slice(1),
      `${NOW + 17_000} begun lease-1`,
    ]);
  });

  it('heeds the back-off of the same version', () => {
    const seen = { ...NO_LOGINS, secretVersion: 'v1', notBefore: NOW + 1 };
    expect(admit(seen)).toEqual({ may: 'begin later', at: NOW + 1, why: 'failures' });
    expect(admit(seen, user, NOW + 1).may).toBe('begin');
  });

  describe('with a limit', () => {
    const limited: Login = { ...user, limit: { count: 2, perSeconds: 3600 } };
    const COUNTED_MS = 3_600_000 + CLOCK_SKEW_MS;
    const issued = (...agesMs: readonly number[]): Logins => ({
      ...proven,
      issued: new Set(marks('unknown', ...agesMs)),
    });

    it('writes each login down, of a proven version too', () => {
      const admission = admit(issued(COUNTED_MS, 1), limited);
      expect(admission).toEqual({
        may: 'begin',
        next: { ...proven, issued: new Set([`${NOW - 1} unknown unknown-1`, `${NOW} unknown lease-1`]) },
      });
    });

    it('tells when the next may begin', () => {
      expect(admit(issued(5, 1), limited)).toEqual({ may: 'begin later', at: NOW - 5 + COUNTED_MS, why: 'limit' });
      expect(admit(issued(5, 1), limited, NOW - 5 + COUNTED_MS).may).toBe('begin');
    });
  });
});

describe('endLogin', () => {
  it('proves the version with a token, and forgets that it might have failed', () => {
    expect(end(begun(user, { ...NO_LOGINS, secretVersion: 'v1', refusals: 1 }), 'token')).toEqual({
      ...proven,
      probe: undefined,
    });
  });

  it('writes nothing of a success that tells nothing new', () => {
    expect(end(proven, 'token')).toBe(proven);
  });

  it('proves the version of whom another has taken the turn of, and no other version', () => {
    const taken: Logins = { ...begun(), probe: { id: 'lease-2', until: NOW + 99 } };
    expect(end(taken, 'token')).toMatchObject({ standing: 'proven', probe: { id: 'lease-2' } });
    const other: Logins = { ...taken, secretVersion: 'v2' };
    expect(end(other, 'token')).toEqual({ ...other, failed: new Set() });
    expect(end({ ...other, failed: new Set() }, 'token')).toMatchObject({ standing: 'unproven' });
  });

  it.each([
    ['token', []],
    ['locked', [`${NOW} locked lease-1`]],
    ['unknown', [`${NOW + 17_000} unknown lease-1`]],
    ['subject', [`${NOW + 17_000} unknown lease-1`]],
    ['nothing', []],
  ] as const)('writes how a login ended whose turn another has taken, and nothing else: %s', (counted, own) => {
    const rest = marks('begun', 1);
    const taken: Logins = {
      ...{ ...NO_LOGINS, secretVersion: 'v2', probe: { id: 'lease-2', until: NOW + 99 }, notBefore: NOW + 99 },
      failed: new Set([...rest, ...begun().failed]),
    };
    const ended = end(taken, counted);
    expect(ended).toEqual({ ...taken, failed: new Set([...rest, ...own]) });
    expect(end(ended, counted)).toBe(ended);
  });

  it('counts a refusal of a user', () => {
    expect(end(begun(), 'refused')).toEqual({
      ...NO_LOGINS,
      secretVersion: 'v1',
      refusals: 1,
      probe: undefined,
      failed: new Set([`${NOW} refused lease-1`]),
    });
  });

  it('counts a refusal once, however often it is written', () => {
    const once = end(begun(), 'refused');
    expect(end(once, 'refused')).toBe(once);
  });

  it.each([
    ['`system`', system],
    ['somebody with a token by this version', { ...user, isEvidence: true }],
  ])('takes a refusal of %s for the end of the version, proven or not', (_, login) => {
    expect(end(begun(login), 'refused', login).standing).toBe('refused');
    expect(end(proven, 'refused', login)).toMatchObject({ standing: 'refused', failed: { size: 1 } });
  });

  it('takes a refusal of anybody else for the subject’s own once the version is proven', () => {
    expect(end(proven, 'refused')).toBe(proven);
    const provenMeanwhile: Logins = { ...begun(), standing: 'proven' };
    expect(end(provenMeanwhile, 'refused')).toEqual({ ...proven, probe: undefined });
  });

  it('counts a refusal of another version, and learns nothing of this one', () => {
    const other = { ...proven, secretVersion: 'v2' };
    expect(end(other, 'refused', system)).toEqual({ ...other, failed: new Set([`${NOW} refused lease-1`]) });
  });

  it.each([
    [[], 30_000],
    [[1], 60_000],
    [[1, 2], 120_000],
  ] as const)('backs off longer after each unknown outcome: %j', (ages, backOffMs) => {
    const ended = end(begun(user, { ...failed(marks('unknown', ...ages)), secretVersion: 'v1' }), 'unknown');
    expect(ended.notBefore).toBe(NOW + backOffMs);
    expect(ended.probe).toBeUndefined();
    expect(ended.failed.size).toBe(ages.length + 1);
  });

  it('counts a refused subject as one that may have failed, and keeps nobody waiting for it', () => {
    expect(end(begun(), 'subject')).toMatchObject({ notBefore: 0, probe: undefined, failed: { size: 1 } });
  });

  it('leaves a locked account alone for half an hour', () => {
    const ended = end(begun(), 'locked');
    expect(ended).toMatchObject({ notBefore: 0, standing: 'unproven' });
    expect([...ended.failed]).toEqual([`${NOW} locked lease-1`]);
    for (const secretVersion of ['v1', 'v2']) {
      const next = { ...system, secretVersion };
      expect(admit(ended, next)).toEqual({ may: 'begin later', at: NOW + 1_800_000, why: 'failures' });
      expect(admit(ended, next, NOW + 1_800_000).may).toBe('begin');
    }
  });

  it('forgets a login that was not sent, and gives its token back', () => {
    const limited: Login = { ...user, limit: { count: 2, perSeconds: 3600 } };
    expect(end(begun(limited), 'nothing', limited)).toEqual({ ...NO_LOGINS, secretVersion: 'v1', probe: undefined });
  });

  it.each(['unknown', 'subject', 'locked', 'nothing'] as const)(
    'writes nothing where a login of a proven version ended as %s',
    (counted) => {
      expect(end(proven, counted)).toBe(proven);
    },
  );
});

describe('forgetRefusals', () => {
  it('forgets what stops a version, and its back-off', () => {
    const held: Logins = { ...NO_LOGINS, secretVersion: 'v1', standing: 'refused', refusals: 2, notBefore: NOW + 1 };
    expect(forgetRefusals(held, NOW)).toEqual({ ...NO_LOGINS, secretVersion: 'v1' });
  });

  it('forgets a lock, which still counts as a refusal', () => {
    const locked = { ...NO_LOGINS, failed: new Set([`${NOW} locked lease-1`]) };
    expect([...forgetRefusals(locked, NOW).failed]).toEqual([`${NOW} refused lease-1`]);
  });

  it('forgets neither failed logins, nor that a version is proven, nor a login under way', () => {
    const held: Logins = { ...begun(), refusals: 1 };
    expect(forgetRefusals(held, NOW)).toEqual({ ...held, refusals: 0 });
    expect(forgetRefusals({ ...held, refusals: 0 }, NOW)).toEqual({ ...held, refusals: 0 });
    expect(forgetRefusals(proven, NOW)).toBe(proven);
  });
});

describe('changeLogins', () => {
  it('keeps the item for a year, and never for less than it was to be kept', () => {
    expect(changeLogins(NO_LOGINS, proven, NOW).set?.ttlSeconds).toBe(NOW / 1000 + 366 * 86_400);
    expect(changeLogins({ ...NO_LOGINS, ttlSeconds: 9e9 }, proven, NOW).set?.ttlSeconds).toBe(9e9);
  });
});
