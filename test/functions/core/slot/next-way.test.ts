import { describe, expect, it } from 'vitest';
import { canRenew, isRenewable, nextWay } from '../../../../functions/core/slot/next-way.ts';
import { EMPTY_RECORD, type SealedToken, type SlotRecord } from '../../../../functions/core/slot/record.ts';
import { helpdeskConnection, workforceConnection } from '../../../simulation/connections.ts';

const NOW = 1_800_000_000_000;
/** Twenty minutes, less the skew; its last use is a minute before. */
const LAST_USE = NOW + 1_200_000 - 5_000 - 60_000;
const connection = workforceConnection();

function session(fields: Partial<SlotRecord> = {}, token: Partial<SealedToken> = {}): SlotRecord {
  const times = { issuedAt: NOW, usableUntil: NOW + 1_195_000, refreshAt: NOW + 600_000, sessionStartedAt: NOW };
  const sealed = { ciphertext: new Uint8Array(1), dataKey: new Uint8Array(1), secretVersion: 'v1', hash: 'a' };
  return {
    ...EMPTY_RECORD,
    generation: 1,
    token: { ...sealed, ...times, publicationId: 'p', ...token },
    ...fields,
  };
}

describe('canRenew', () => {
  it('wants the path that a renewal goes by', () => {
    expect(canRenew(connection)).toBe(true);
    expect(canRenew(workforceConnection({ settings: {} }))).toBe(false);
    expect(canRenew(helpdeskConnection())).toBe(false);
  });
});

describe('isRenewable', () => {
  it.each<[string, SlotRecord, number, boolean]>([
    ['a token up to its last use', session(), LAST_USE, true],
    ['a token past its last use', session(), LAST_USE + 1, false],
    ['a token reported dead', session({ rejectedGeneration: 1 }), NOW, false],
    ['a session at its longest age', session({}, { sessionStartedAt: NOW - 43_200_000 }), NOW, false],
    ['no token', EMPTY_RECORD, NOW, false],
  ])('%s', (_, record, now, expected) => {
    expect(isRenewable(connection, record, now)).toBe(expected);
  });
});

describe('nextWay', () => {
  const due = NOW + 600_000;
  const leadsAt = LAST_USE - 90_000;

  it.each<[string, SlotRecord, number, ReturnType<typeof nextWay>]>([
    ['a renewal, whatever holds back logins', session({ notBefore: due + 1 }), due, { way: 'renewal' }],
    [
      'a login without a token, whatever holds back renewals',
      { ...EMPTY_RECORD, renewalNotBefore: due + 1 },
      due,
      { way: 'login' },
    ],
    [
      'no login before its back-off is over',
      { ...EMPTY_RECORD, notBefore: due + 1 },
      due,
      { way: 'none', until: due + 1 },
    ],
    ['a login past the last use', session({ renewalNotBefore: due + 1 }), LAST_USE + 1, { way: 'login' }],
    ['nothing while renewals back off', session({ renewalNotBefore: due + 1 }), due, { way: 'none', until: due + 1 }],
    [
      'nothing before the lead, however long renewals back off',
      session({ renewalNotBefore: due + 3_600_000 }),
      due,
      { way: 'none', until: leadsAt },
    ],
    [
      'a login in the lead, where renewals failed',
      session({ renewalNotBefore: due, renewalTries: 1 }),
      leadsAt,
      { way: 'login' },
    ],
    ['a renewal in the lead, where none failed', session(), leadsAt, { way: 'renewal' }],
    [
      'a renewal in the lead, where logins back off',
      session({ notBefore: leadsAt + 1, renewalTries: 1 }),
      leadsAt,
      { way: 'renewal' },
    ],
    [
      'nothing in the lead, where both back off',
      session({ notBefore: leadsAt + 2, renewalNotBefore: leadsAt + 1 }),
      leadsAt,
      { way: 'none', until: leadsAt + 1 },
    ],
  ])('is %s', (_, record, now, expected) => {
    expect(nextWay(connection, record, now)).toEqual(expected);
  });

  it('is a login at once for whoever needs another token, while renewals back off', () => {
    const record = session({ renewalNotBefore: due + 1 });

    expect(nextWay(connection, record, due, true)).toEqual({ way: 'login' });
    expect(nextWay(connection, session(), due, true)).toEqual({ way: 'renewal' });
    expect(nextWay(connection, { ...record, notBefore: due + 9 }, due, true)).toEqual({ way: 'none', until: due + 1 });
  });

  it('leads by a tenth of a short life', () => {
    const short = session({ renewalNotBefore: NOW + 900_000 }, { usableUntil: NOW + 100_000 });

    expect(nextWay(connection, short, NOW)).toEqual({ way: 'none', until: NOW + 30_000 });
  });
});
