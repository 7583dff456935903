import { describe, expect, it } from 'vitest';
import { type Heard, hear } from '../../../../functions/core/slot/breaker.ts';
import {
  admitLogin,
  endLogin,
  forgetRefusals,
  isOpen,
  type Login,
  type Logins,
  NO_LOGINS,
} from '../../../../functions/core/slot/logins.ts';

const NOW = 1_800_000_000_000;
const random = { uuid: () => 'id', fraction: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const proven: Logins = { ...NO_LOGINS, secretVersion: 'v1', standing: 'proven' };
const loginOf = (subject: string, id = `lease-of-${subject}`): Login => ({
  ...{ id, subject, secretVersion: 'v1', isSystem: false, hasSystem: true, isEvidence: false },
  ...{ until: NOW + 17_000, limit: undefined },
});
const heard = (seen: Logins, subject: string, end: Heard, now = NOW) => hear(seen, loginOf(subject), end, now);
const open = heard(heard(proven, '1', 'time-out'), '2', 'time-out');
const trial: Logins = { ...open, notBefore: NOW + 17_000, probe: { id: 'lease-of-3', until: NOW + 17_000 } };

describe('hear', () => {
  it('opens the breaker at the time-outs of two subjects, for half a minute', () => {
    expect(isOpen(heard(proven, '1', 'time-out'))).toBe(false);
    expect(open).toEqual({ ...proven, timedOut: { subject: '2', at: NOW, subjects: 2 }, notBefore: NOW + 30_000 });
    expect(isOpen(open)).toBe(true);
  });

  it('does not open it at any number of time-outs of one subject', () => {
    const again = heard(heard(proven, '1', 'time-out'), '1', 'time-out', NOW + 1);
    expect(again.timedOut).toEqual({ subject: '1', at: NOW + 1, subjects: 1 });
  });

  it('does not put time-outs together that are five minutes apart', () => {
    const one = heard(proven, '1', 'time-out');
    expect(isOpen(heard(one, '2', 'time-out', NOW + 299_999))).toBe(true);
    expect(isOpen(heard(one, '2', 'time-out', NOW + 300_000))).toBe(false);
  });

  it('begins again after any answer, and writes nothing for one where nothing timed out', () => {
    const answered = heard(heard(proven, '1', 'time-out'), '2', 'answer');
    expect(answered).toEqual({ ...proven, timedOut: undefined });
    expect(heard(proven, '2', 'answer')).toBe(proven);
  });

  it('writes nothing for what began before the breaker opened', () => {
    expect(heard(open, '4', 'time-out')).toBe(open);
    expect(heard(open, '4', 'nothing')).toBe(open);
  });

  it('has nothing to say of a version that is not proven: its logins go one at a time anyway', () => {
    for (const seen of [NO_LOGINS, { ...proven, secretVersion: 'v2' }]) expect(heard(seen, '1', 'time-out')).toBe(seen);
  });

  it.each([
    ['answer', { timedOut: undefined, notBefore: 0, probe: undefined }],
    ['nothing', { notBefore: 0, probe: undefined }],
    ['time-out', { timedOut: { subject: '3', at: NOW, subjects: 2 }, notBefore: NOW + 30_000, probe: undefined }],
  ] as const)('ends a trial that ends in %s', (end, left) => {
    expect(heard(trial, '3', end)).toEqual({ ...trial, ...left });
  });

  it('leaves a trial that is another’s by now', () => {
    expect(heard(trial, '4', 'time-out')).toBe(trial);
    expect(heard(trial, '4', 'nothing')).toBe(trial);
    expect(heard(trial, '4', 'answer')).toEqual({ ...trial, timedOut: undefined });
  });

  it('leaves the probe of a new version to the rules of logins', () => {
    const probing: Logins = { ...trial, secretVersion: 'v2', standing: 'unproven' };
    const login = { ...loginOf('3'), secretVersion: 'v2' };
    expect(hear(probing, login, 'nothing', NOW)).toBe(probing);
    expect(hear(probing, login, 'answer', NOW)).toEqual({ ...probing, timedOut: undefined });
  });
});

describe('admitLogin, with an open breaker', () => {
  const admit = (seen: Logins, now: number) => admitLogin(seen, loginOf('3'), now, random);

  it('holds logins back, then lets one begin, which counts as no failure', () => {
    expect(admit(open, NOW + 29_999)).toEqual({ may: 'begin later', at: NOW + 30_000, why: 'time-outs' });
    expect(admit(open, NOW + 30_000)).toEqual({
      may: 'begin',
      next: { ...open, notBefore: NOW + 17_000, probe: { id: 'lease-of-3', until: NOW + 17_000 } },
    });
  });

  it('has the others wait for it, to the end of its lease', () => {
    expect(admitLogin(trial, loginOf('4'), NOW + 16_999, random)).toEqual({ may: 'wait' });
    expect(admitLogin(trial, loginOf('4'), NOW + 17_000, random)).toMatchObject({ may: 'begin' });
  });

  it('tries a new version of the secret at once', () => {
    expect(admitLogin(open, { ...loginOf('3'), secretVersion: 'v2' }, NOW, random)).toMatchObject({
      may: 'begin',
      next: { secretVersion: 'v2', standing: 'unproven' },
    });
  });
});

describe('an open breaker', () => {
  it('is closed by an operator', () => {
    const closed = forgetRefusals(open, NOW);
    expect(closed).toEqual({ ...open, timedOut: undefined, notBefore: 0 });
    expect(admitLogin(closed, loginOf('3'), NOW, random)).toEqual({ may: 'begin' });
  });

  it('stays open for a trial that is under way when an operator closes it, which ends as any login', () => {
    const closed = forgetRefusals(trial, NOW);
    expect(closed.probe).toEqual(trial.probe);
    expect(endLogin(hear(closed, loginOf('3'), 'answer', NOW), loginOf('3'), 'token', NOW, random).probe).toBe(
      undefined,
    );
  });
});
