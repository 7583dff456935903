import { describe, expect, it } from 'vitest';
import { leaseLengthMs, mintWindowMs, timeNeededToMintMs, waitLimitMs } from '../../../../functions/core/slot/lease.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const connection = helpdeskConnection({ timeoutSeconds: 6 });

describe('the length of a lease', () => {
  it('adds to timeoutSeconds 6 s to mint in, 7 s to wait for it, 11 s to hold it', () => {
    expect(mintWindowMs(connection)).toBe(12_000);
    expect(timeNeededToMintMs(connection)).toBe(12_000);
    expect(waitLimitMs(connection)).toBe(13_000);
    expect(leaseLengthMs(connection)).toBe(17_000);
  });
});
