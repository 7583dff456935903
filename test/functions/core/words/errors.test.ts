import { describe, expect, it } from 'vitest';
import { BrokerError, errorCodes, isBrokerErrorCode } from '../../../../functions/core/words/errors.ts';

describe('error codes', () => {
  it('have a status and a title each, and nothing else is a code', () => {
    for (const [code, { status, title }] of Object.entries(errorCodes)) {
      expect(isBrokerErrorCode(code)).toBe(true);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).toMatch(/\S/);
    }
    for (const other of ['', 'toString', '__proto__', 'constructor']) expect(isBrokerErrorCode(other)).toBe(false);
    expect(new BrokerError('cooldown', 'later').status).toBe(503);
  });

  it('are what an error shows of itself, before its detail', () => {
    expect(String(new BrokerError('cooldown', 'Later.'))).toBe('BrokerError: cooldown: Later.');
  });
});
