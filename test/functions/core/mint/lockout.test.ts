import { describe, expect, it } from 'vitest';
import { createLoginGate } from '../../../../functions/core/mint/lockout.ts';
import { EMPTY_RECORD, type SlotRecord } from '../../../../functions/core/slot/record.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';

/** The gate by itself, before a secret whose kept copy may be behind. */
async function gate({ kept = 'version-1', current = 'version-1' } = {}) {
  const made = harness();
  await made.broker.handOut();
  const { operators, time, connection, slot } = made;
  const asked: { readonly maxAgeMs: number; readonly knownVersion?: string | undefined }[] = [];
  const loginGate = createLoginGate({
    ...operators,
    secrets: {
      async current({ secret: _, ...how }) {
        asked.push(how);
        return { versionId: how.maxAgeMs > 0 ? kept : current, value: new Secret('right') };
      },
    },
  });
  return {
    ...made,
    asked,
    loginGate,
    prepare: (record: SlotRecord = EMPTY_RECORD) =>
      time.settle(loginGate.prepare({ connection, slot: slot(), record, keepsClosed: false })),
    /** Has that many other slots refused under a version. */
    async refuse(count: number, version: string) {
      for (let n = 1; n <= count; n += 1) await time.settle(loginGate.refused(slot(String(n)), version));
    },
  };
}

describe('createLoginGate', () => {
  const failedAt = 1_800_000_000_000;

  it('takes a secret that is 5 s old, or the kept one that this slot was served with', async () => {
    const { prepare, asked, record } = await gate();
    await prepare();
    await prepare({ ...EMPTY_RECORD, failure: { code: 'secret_unavailable', at: failedAt } });
    await prepare(record());

    expect(asked).toEqual([
      { maxAgeMs: 5_000 },
      { maxAgeMs: 5_000 },
      { maxAgeMs: 5_000, knownVersion: record().token?.secretVersion },
    ]);
  });

  it('has a new version of the secret at the latest 5 s after it was rotated', async () => {
    const { broker, upstream, advance } = harness();
    await broker.handOut({ subject: '1' });
    broker.rotateSecret('newer');
    upstream.rules.accepted.add('newer');
    await advance({ seconds: 6 });
    await broker.handOut({ subject: '2' });

    expect(upstream.logins[1]?.credential).toBe('newer');
  });

  it.each([
    ['a version was refused', { refusedVersion: 'version-0' }],
    ['it was not of the right shape', { failure: { code: 'secret_invalid', at: failedAt } }],
    ['its token was reported dead', { rejectedGeneration: 1 }],
  ] as const)('reads the secret afresh where %s', async (_why, changed) => {
    const { prepare, asked, record } = await gate();
    await prepare({ ...record(), ...changed });

    expect(asked).toEqual([{ maxAgeMs: 0 }]);
  });

  it('logs in with no refused version, which stays the refused one of its slot (invariant 5)', async () => {
    const { prepare } = await gate();
    const prepared = await prepare({ ...EMPTY_RECORD, refusedVersion: 'version-1' });

    expect(prepared).toMatchObject({
      code: 'upstream_credential_rejected',
      backOff: 'refused',
      countsAsTry: false,
      refusedVersion: 'version-1',
      detail: expect.stringMatching(/helpdesk .* no new version/),
    });
  });

  it.each([
    [2, false],
    [3, true],
  ])('stops the logins of all slots once %i were refused: %s', async (count, isStopped) => {
    const { prepare, refuse } = await gate();
    await refuse(count, 'version-1');
    const prepared = await prepare();

    expect('code' in prepared).toBe(isStopped);
    if ('code' in prepared) expect(prepared.refusedVersion).toBeUndefined();
  });

  it('stops nothing where the kept copy of the secret was merely behind', async () => {
    const { prepare, refuse, asked } = await gate({ kept: 'version-1', current: 'version-2' });
    await refuse(3, 'version-1');

    expect(await prepare()).toMatchObject({ secret: { versionId: 'version-2' }, refusals: { slots: { size: 3 } } });
    expect(asked).toEqual([{ maxAgeMs: 5_000 }, { maxAgeMs: 0 }]);
  });

  it('looks for a new version once, and no further, where three slots were refused', async () => {
    const { prepare, refuse, asked } = await gate();
    await refuse(3, 'version-1');
    await prepare();

    expect(asked).toHaveLength(2);
  });

  it('keeps the count of refused slots for 30 days', async () => {
    const { refuse, table, time } = await gate();
    await refuse(1, 'version-1');
    const { ttlSeconds = 0 } = table.refusals('helpdesk') ?? {};

    expect(ttlSeconds - time.now() / 1_000).toBeGreaterThan(30 * 86_400 - 2);
    expect(ttlSeconds - time.now() / 1_000).toBeLessThan(30 * 86_400 + 2);
  });

  it('clears the count at a success, by a write only where there is one', async () => {
    const { broker, refusals, upstream } = harness();
    await broker.handOut({ subject: '1' });
    expect(refusals).toEqual([]);
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '2' });
    upstream.rules.accepted.add('right');
    await broker.handOut({ subject: '3' });

    expect(refusals.map(({ after }) => after?.slots.size)).toEqual([1, undefined]);
  });

  it('undoes no login that worked where the count cannot be cleared, and tells operators', async () => {
    const { broker, upstream, failNext, said } = harness();
    upstream.rules.accepted.clear();
    await broker.refusal({ subject: '2' });
    upstream.rules.accepted.add('right');
    failNext('clearRefusals', 'down');

    expect((await broker.handOut({ subject: '3' })).source).toBe('login');
    expect(said.warnings.filter((warning) => /count of refused slots/.test(warning))).toHaveLength(1);
  });

  it('hides no refusal where the count cannot be written', async () => {
    const { broker, upstream, failNext, record } = harness();
    upstream.rules.accepted.clear();
    failNext('recordRefusal', 'down');

    expect((await broker.refusal({ subject: '2' })).code).toBe('upstream_credential_rejected');
    expect(record('2').refusedVersion).toBeDefined();
  });
});
