import { describe, expect, it } from 'vitest';
import { hashCaller } from '../../../../functions/core/slot/caller.ts';

describe('hashCaller', () => {
  const role = 'arn:aws:sts::123456789012:assumed-role/reports';

  it('tells callers apart, but not the sessions of a role', () => {
    const same = ['one', 'two', 'one@example.com', 'a/b'].map((session) => hashCaller(`${role}/${session}`));
    const others = [
      `${role}s/one`,
      'arn:aws-cn:sts::123456789012:assumed-role/reports/one',
      'arn:aws:sts::210987654321:assumed-role/reports/one',
      'arn:aws:iam::123456789012:user/reports',
      'arn:aws:iam::123456789012:user/one',
    ].map(hashCaller);

    expect(new Set(same).size).toBe(1);
    expect(new Set([...same, ...others]).size).toBe(6);
    expect(same[0]).toMatch(/^[0-9a-f]{16}$/);
  });
});
