import { expect, it } from 'vitest';
import { saysLocked } from '../../../../functions/providers/engine/locked.ts';

it.each([
  'Account locked',
  'You are LOCKED OUT.',
  'lockout in effect',
  'In lock-out until noon',
  'A lock out applies',
  'The API key is locked.',
])('says that an account is locked: %s', (message) => {
  expect(saysLocked(message)).toBe(true);
});

it.each(['Unlocked', 'blocked by policy', 'Invalid password', undefined, 7, null, ['locked']])(
  'does not say that an account is locked: %j',
  (message) => {
    expect(saysLocked(message)).toBe(false);
  },
);
