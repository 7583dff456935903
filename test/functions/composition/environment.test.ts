import { describe, expect, it } from 'vitest';
import { groupFunctionName } from '../../../functions/composition/environment.ts';

describe('groupFunctionName', () => {
  it('is prefix and group while Lambda takes that', () => {
    expect(groupFunctionName('token-broker-mint-', 'helpdesk')).toBe('token-broker-mint-helpdesk');
    const group = 'g'.repeat(64 - 'token-broker-mint-'.length);
    expect(groupFunctionName('token-broker-mint-', group)).toBe(`token-broker-mint-${group}`);
  });

  it('is cut to 64 characters where it is longer, and never the same for two groups', () => {
    const groups = ['x', 'y'].map((end) => `${'g'.repeat(62)}${end}`);
    const names = groups.map((group) => groupFunctionName('token-broker-mint-', group));
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^token-broker-mint-g+-[0-9a-f]{12}$/);
    expect(names.map((name) => name.length)).toEqual([64, 64]);
  });
});
