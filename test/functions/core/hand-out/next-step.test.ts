import { describe, expect, it } from 'vitest';
import {
  createInProgressError,
  nextStep,
  type Step,
  type Want,
} from '../../../../functions/core/hand-out/next-step.ts';
import { EMPTY_RECORD, type SealedToken, type SlotRecord } from '../../../../functions/core/slot/record.ts';
import type { BrokerErrorCode } from '../../../../functions/core/words/errors.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

const NOW = 1_800_000_000_000;
const connection = helpdeskConnection({ minTtlSeconds: 60 });

/** A token that is usable that long, and due for a refresh that much later; milliseconds. */
function token(usableMs: number, refreshInMs = 0): SealedToken {
  return {
    ...{ ciphertext: new Uint8Array(), dataKey: new Uint8Array(), issuedAt: 0, sessionStartedAt: 0 },
    ...{ secretVersion: 'version-1', hash: 'some-hash', publicationId: 'some-publication' },
    usableUntil: NOW + usableMs,
    refreshAt: NOW + refreshInMs,
  };
}

interface Row {
  readonly because: string;
  /** Members of the slot's record. The generation is 1 by default. */
  readonly record?: Partial<SlotRecord>;
  readonly want?: Partial<Want>;
  readonly mayLag?: true;
  readonly hasNoTime?: true;
}

const timeout = { code: 'upstream_timeout', at: NOW } as const;
const REFUSED: Partial<Want> = { not: { hash: 'some-hash', generation: 1, publicationId: 'some-publication' } };
const HELD: Partial<SlotRecord> = { lease: { id: 'another', until: NOW + 1 } };
const BACKING_OFF: Partial<SlotRecord> = { notBefore: NOW + 1 };
const OVER: Partial<SlotRecord> = { lease: { id: 'another', until: NOW }, notBefore: NOW };
/** Inputs on which every row further down would decide. */
const ALL_BELOW = { mayLag: true, hasNoTime: true } as const;

type Failure = 'min_ttl_unsatisfiable' | 'cooldown' | 'upstream_credential_rejected' | 'refresh_in_progress';

/** Every step with the readings that lead to it, and those that only just do. */
const rows = {
  open: [
    { because: 'the token is usable', record: { token: token(60_000), ...HELD, ...BACKING_OFF }, ...ALL_BELOW },
    { because: 'the token is past its refreshAt and usable', record: { token: token(60_000, -1) } },
    {
      because: 'the token has exactly the min_ttl asked for',
      record: { token: token(90_000) },
      want: { minTtlSeconds: 90 },
    },
    { because: 'another token was refused', record: { token: token(60_000), generation: 2 }, want: REFUSED },
    {
      because: 'a token of another hash was refused',
      record: { token: token(60_000) },
      want: { not: { hash: 'other', generation: 1, publicationId: 'some-publication' } },
    },
    {
      because: 'the same token was refused, in an item that has expired since',
      record: { token: token(60_000) },
      want: { not: { hash: 'some-hash', generation: 1, publicationId: 'another' } },
    },
  ],
  min_ttl_unsatisfiable: [
    {
      because: 'the token is too short and not due',
      record: { token: token(89_999, 1), ...HELD, ...BACKING_OFF },
      want: { minTtlSeconds: 90 },
      ...ALL_BELOW,
    },
    {
      because: 'the token is as long as the connection asks for',
      record: { token: token(60_000, 1) },
      want: { minTtlSeconds: 90 },
    },
    {
      because: 'the token is due, and was minted since the request came',
      record: { token: token(89_999), generation: 2 },
      want: { minTtlSeconds: 90 },
    },
  ],
  wait: [
    { because: 'somebody holds the lease', record: { ...HELD, ...BACKING_OFF }, ...ALL_BELOW },
    { because: 'the token was refused', record: { token: token(60_000), ...HELD }, want: REFUSED },
    {
      because: 'the token is too short and due',
      record: { token: token(89_999), ...HELD },
      want: { minTtlSeconds: 90 },
    },
    { because: 'the token is too short for the connection', record: { token: token(59_999, 1), ...HELD } },
  ],
  'read again': [{ because: 'a back-off is on, by a reading that may lag', record: BACKING_OFF, ...ALL_BELOW }],
  cooldown: [
    { because: 'a back-off is on', record: BACKING_OFF, hasNoTime: true },
    {
      because: 'a back-off is on, and the token was refused',
      record: { token: token(60_000), ...BACKING_OFF },
      want: REFUSED,
    },
  ],
  upstream_credential_rejected: [
    {
      because: 'the back-off is that of a refused credential',
      record: { ...BACKING_OFF, failure: { code: 'upstream_credential_rejected', at: NOW } },
    },
    {
      because: 'a version is refused, whatever the last attempt failed with',
      record: { ...BACKING_OFF, refusedVersion: 'version-1', failure: timeout },
    },
  ],
  refresh_in_progress: [
    { because: 'lease and back-off are over, and there is no time left to mint', record: OVER, hasNoTime: true },
  ],
  mint: [
    { because: 'the slot is empty', record: EMPTY_RECORD, mayLag: true },
    { because: 'lease and back-off are over', record: OVER, mayLag: true },
    { because: 'the token was refused', record: { token: token(60_000) }, want: REFUSED },
    { because: 'the token was refused and is gone', want: REFUSED },
    { because: 'the token is too short and due', record: { token: token(89_999) }, want: { minTtlSeconds: 90 } },
    { because: 'the token is too short for the connection', record: { token: token(59_999, 1) } },
  ],
} as const satisfies Record<Exclude<Step['do'], 'fail'> | Failure, readonly Row[]>;

function stepOf({ record = {}, want = {}, mayLag, hasNoTime }: Omit<Row, 'because'>): Step {
  return nextStep(
    { connection, minTtlSeconds: 60, not: undefined, firstSeen: 1, ...want },
    { record: { ...EMPTY_RECORD, generation: 1, ...record }, isConsistent: mayLag !== true, at: NOW },
    hasNoTime !== true,
  );
}

describe('nextStep', () => {
  const table = Object.entries(rows).flatMap(([step, readings]) =>
    readings.map((row: Row): [string, string, Row] => [step, row.because, row]),
  );

  it.each(table)('decides `%s` where %s', (step, _because, row) => {
    const found = stepOf(row);

    expect(found.do === 'fail' ? found.error.code : found.do).toBe(step);
  });

  it.each<[string, Partial<SlotRecord>, BrokerErrorCode | undefined, string]>([
    ['a holder that never came back', {}, 'upstream_outcome_unknown', 'upstream_outcome_unknown'],
    ['another failure', { failure: timeout }, 'upstream_timeout', 'upstream_timeout'],
    ['another failure after a refusal', { failure: timeout, refusedVersion: 'v' }, undefined, 'upstream_timeout'],
    ['a refusal', { failure: { ...timeout, code: 'upstream_credential_rejected' } }, undefined, 'a new version'],
  ])('says until when, of which connection and why, in the back-off after %s', (_what, record, causeCode, said) => {
    const step = stepOf({ record: { ...record, notBefore: NOW + 7_000 } });
    if (step.do !== 'fail') throw new Error(`the step is ${step.do}`);

    expect(step.error).toMatchObject({ retryAfterMs: 7_000, causeCode });
    for (const words of ['helpdesk', said]) expect(step.error.detail).toContain(words);
  });

  it('names the min_ttl that the token falls short of', () => {
    const step = stepOf({ record: { token: token(89_999, 1) }, want: { minTtlSeconds: 90 } });

    expect(step).toMatchObject({ error: { detail: expect.stringMatching(/less than 90 s .*refresh_at/) } });
  });
});

describe('createInProgressError', () => {
  it('says to wait for the end of the lease, and nothing where there is none', () => {
    const record = { ...EMPTY_RECORD, lease: { id: 'another', until: NOW + 7_000 } };

    expect(createInProgressError(connection, record, NOW)).toMatchObject({
      code: 'refresh_in_progress',
      retryAfterMs: 7_000,
      detail: expect.stringContaining('helpdesk'),
    });
    expect(createInProgressError(connection, record, NOW + 7_000).retryAfterMs).toBeUndefined();
  });
});
