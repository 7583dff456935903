import { describe, expect, it } from 'vitest';
import { BrokerError, errorCodes, isBrokerErrorCode } from '../../../../functions/core/words/errors.ts';

describe('errorCodes', () => {
  it('gives every code a status and a title, and nothing else is a code', () => {
    for (const [code, { status, title }] of Object.entries(errorCodes)) {
      expect(isBrokerErrorCode(code)).toBe(true);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).toMatch(/\S/);
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
