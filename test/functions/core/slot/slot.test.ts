import { describe, expect, it } from 'vitest';
import {
  isServed,
  isStaffSubject,
  SUBJECT_PATTERN,
  slotFor,
  slotId,
  slotOf,
} from '../../../../functions/core/slot/slot.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

describe('subjects (H8, H9)', () => {
  const helpdesk = helpdeskConnection();

  it.each(['0', '01', '-1', '1.0', ' 1', '1 ', '2147483648', '99999999999', '', 'System', 'SYSTEM', '１', '__proto__'])(
    'takes %j for no subject at all',
    (subject) => {
      expect(isStaffSubject(subject)).toBe(false);
      expect(() => slotFor(helpdesk, subject)).toThrow(expect.objectContaining({ code: 'invalid_subject' }));
    },
  );

  it.each(['1', '88', '2147483647'])('takes %j for a staff PKID', (subject) => {
    expect(slotFor(helpdesk, subject)).toEqual({ connection: 'helpdesk', subject, fingerprint: helpdesk.fingerprint });
  });

  it('refuses a kind of subject that the connection does not serve', () => {
    const staffOnly = helpdeskConnection({ subjects: { system: false, staff: true } });

    expect(() => slotFor(workforceConnection(), '88')).toThrow(
      expect.objectContaining({ code: 'subject_not_supported' }),
    );
    expect(() => slotFor(staffOnly, 'system')).toThrow(expect.objectContaining({ code: 'subject_not_supported' }));
  });

  it('refuses staff outside the list, and knows who is served', () => {
    const listed = helpdeskConnection({ subjects: { system: true, staff: ['88'] } });

    expect(slotFor(listed, '88').subject).toBe('88');
    expect(() => slotFor(listed, '89')).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(isServed('88', listed.subjects)).toBe(true);
    expect(isServed('89', listed.subjects)).toBe(false);
    expect(slotFor(listed, 'system').subject).toBe('system');
  });

  it.each([
    ['system', true],
    ['88', true],
    ['2147483647', true],
    ['systems', false],
    ['a system', false],
    ['088', false],
    ['88x', false],
    ['', false],
  ])('are written as the pattern says: %j: %s', (subject, isOne) => {
    expect(SUBJECT_PATTERN.test(subject)).toBe(isOne);
  });

  it('names slots apart by connection, subject and fingerprint (invariant 8)', () => {
    const slot = slotOf(helpdesk, '88');
    const others = [
      { ...slot, connection: 'x' },
      { ...slot, subject: '8' },
      { ...slot, fingerprint: 'f' },
    ];

    expect(new Set([slot, ...others].map(slotId)).size).toBe(4);
  });
});
