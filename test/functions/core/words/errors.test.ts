import { describe, expect, it } from 'vitest';
import { BrokerError, isBrokerErrorCode, statusByCode } from '../../../../functions/core/words/errors.ts';

describe('error codes', () => {
  it('have a status each, and nothing else is a code', () => {
    for (const [code, status] of Object.entries(statusByCode)) {
      expect(isBrokerErrorCode(code)).toBe(true);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    for (const other of ['', 'toString', '__proto__', 'constructor']) expect(isBrokerErrorCode(other)).toBe(false);
    expect(new BrokerError('cooldown', 'later').status).toBe(503);
  });

  it('are what an error shows of itself, before its detail', () => {
    expect(String(new BrokerError('cooldown', 'Later.'))).toBe('BrokerError: cooldown: Later.');
  });
});
