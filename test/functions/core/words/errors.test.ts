import { describe, expect, it } from 'vitest';
import { BrokerError, isBrokerErrorCode, statusByCode } from '../../../../functions/core/words/errors.ts';

describe('statusByCode', () => {
  it('gives every code a status, and nothing else is a code', () => {
    for (const [code, status] of Object.entries(statusByCode)) {
      expect(isBrokerErrorCode(code)).toBe(true);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    for (const other of ['', 'toString', '__proto__', 'constructor']) expect(isBrokerErrorCode(other)).toBe(false);
  });
});

describe('BrokerError', () => {
  it('has the status of its code, and shows the code before its detail', () => {
    const error = new BrokerError('cooldown', 'Later.');

    expect(error.status).toBe(503);
    expect(String(error)).toBe('BrokerError: cooldown: Later.');
  });
});
