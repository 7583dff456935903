import { describe, expect, it } from 'vitest';
import {
  isServed,
  isUserSubject,
  requireSlot,
  SUBJECT_PATTERN,
  slotFraction,
  slotId,
  slotOf,
} from '../../../../functions/core/slot/slot.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

const helpdesk = helpdeskConnection();

describe('requireSlot (H8, H9)', () => {
  it.each(['0', '01', '-1', '1.0', ' 1', '1 ', '2147483648', '99999999999', '', 'System', 'SYSTEM', '１', '__proto__'])(
    'takes %j for no subject at all',
    (subject) => {
      expect(isUserSubject(helpdesk.provider.userSubject, subject)).toBe(false);
      expect(() => requireSlot(helpdesk, subject)).toThrow(
        expect.objectContaining({
          code: 'invalid_subject',
          detail: expect.stringMatching(/`system`.*PKID.*2147483647/),
        }),
      );
    },
  );

  it.each(['1', '88', '2147483647'])('takes %j for a staff PKID', (subject) => {
    expect(requireSlot(helpdesk, subject)).toEqual({
      connection: 'helpdesk',
      subject,
      fingerprint: helpdesk.fingerprint,
    });
  });

  const staffOnly = helpdeskConnection({ subjects: { system: false, users: ['88'] } });

  it.each([
    ['88', workforceConnection(), 'subject_not_supported', 'wfm serves `system` only'],
    ['system', staffOnly, 'subject_not_supported', 'helpdesk serves staff only'],
    ['89', staffOnly, 'forbidden', '`subjects.staff`'],
  ])('refuses the subject %s where the connection serves others', (subject, connection, code, said) => {
    expect(() => requireSlot(connection, subject)).toThrow(
      expect.objectContaining({ code, detail: expect.stringContaining(said) }),
    );
    expect(isServed(subject, connection.subjects)).toBe(false);
  });

  it('gives the slot of a subject that the list names, and of the system beside a list', () => {
    const listed = helpdeskConnection({ subjects: { system: true, users: ['88'] } });

    expect(requireSlot(staffOnly, '88').subject).toBe('88');
    expect(requireSlot(listed, 'system').subject).toBe('system');
    expect(isServed('88', staffOnly.subjects)).toBe(true);
  });
});

describe('SUBJECT_PATTERN', () => {
  it.each([
    ['system', true],
    ['88', true],
    ['ann.lee@example.com', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['a system', false],
    ['a/b', false],
    ['a#b', false],
    ['.', false],
    ['..', false],
    ['', false],
  ])('matches what any provider may write as a subject: %j: %s', (subject, isOne) => {
    expect(SUBJECT_PATTERN.test(subject)).toBe(isOne);
  });
});

describe('isUserSubject', () => {
  it.each([
    ['88', true],
    ['2147483647', true],
    ['2147483648', false],
    ['088', false],
    ['88x', false],
    ['x88', false],
    ['system', false],
  ])('judges %j by the whole of the pattern, and by the maximum: %s', (subject, isOne) => {
    expect(isUserSubject({ pattern: '[1-9][0-9]{0,9}', maximum: 2_147_483_647 }, subject)).toBe(isOne);
  });

  it('takes nobody where the provider has no users, and never `system`, `.` or `..`', () => {
    expect(isUserSubject(undefined, '88')).toBe(false);
    for (const subject of ['system', '.', '..']) expect(isUserSubject({ pattern: '.*' }, subject)).toBe(false);
  });
});

describe('slotId', () => {
  it('tells slots apart by connection, subject and fingerprint (invariant 8)', () => {
    const slot = slotOf(helpdesk, '88');
    const others = [
      { ...slot, connection: 'x' },
      { ...slot, subject: '8' },
      { ...slot, fingerprint: 'f' },
    ];

    expect(new Set([slot, ...others].map(slotId)).size).toBe(4);
  });
});

describe('slotFraction', () => {
  it('is the same for the same slot everywhere', () => {
    expect(slotFraction(slotOf(helpdesk, '88'))).toBe(slotFraction(slotOf(helpdeskConnection(), '88')));
  });
});
