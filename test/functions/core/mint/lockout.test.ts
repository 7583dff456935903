import { describe, expect, it } from 'vitest';
import { createLoginGate, type LoginMaterial } from '../../../../functions/core/mint/lockout.ts';
import { type Logins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import { EMPTY_RECORD, type SlotRecord } from '../../../../functions/core/slot/record.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

/** The gate by itself, before a secret whose kept copy may be behind. A hand-out has proven version-1. */
async function gate({ kept = 'version-1', current = 'version-1', connection = helpdeskConnection() } = {}) {
  const made = harness({ connection });
  await made.broker.handOut();
  const { operators, time, slot, table, callsOf } = made;
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
  const attemptOf = (record: SlotRecord, subject: string) => ({
    ...{ connection, slot: slot(subject), record, leaseId: `lease-of-${subject}`, takenAt: time.now() },
    keepsClosed: false,
  });
  return {
    ...made,
    asked,
    loginGate,
    writes: callsOf('changeLogins'),
    prepare: (record: SlotRecord = EMPTY_RECORD, subject = 'system') =>
      time.settle(loginGate.prepare(attemptOf(record, subject))),
    prepareRenewal: (record: SlotRecord = EMPTY_RECORD) =>
      time.settle(loginGate.prepareRenewal(attemptOf(record, 'system'))),
    logins: () => table.logins(connection.name) ?? NO_LOGINS,
    /** Writes what is known of the connection's logins. */
    know(logins: Partial<Logins>) {
      const seen = table.logins(connection.name) ?? NO_LOGINS;
      const next = { ...seen, probe: undefined, ...logins, revision: seen.revision + 1 };
      table.writeLogins(connection.name, { name: 'changeLogins', onlyIf: [], set: next, clear: ['probe'] });
    },
  };
}

function leaveOf(prepared: unknown): LoginMaterial {
  if (typeof prepared !== 'object' || prepared === null || !('login' in prepared)) throw new Error('it has no leave');
  // It has a login, so it is one.
  return prepared as LoginMaterial;
}

const refused = { kind: 'failure', code: 'upstream_credential_rejected', backOff: 'refused', detail: 'No.' } as const;

const notSent = { ...refused, code: 'upstream_unreachable', backOff: 'not_judged' } as const;

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
    const { prepare, know } = await gate();
    know({ standing: 'unproven' });
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
    ['its own refusal', { refusedVersion: 'version-1' }, 'the status 401 without a body'],
    ['the word of another slot', {}, 'not sent: the upstream has refused this version of the secret'],
    [
      'the word of another slot, where its own was of an older version',
      { refusedVersion: 'version-0' },
      'not sent: the upstream has refused this version of the secret',
    ],
  ])('keeps on saying what a stop rests on: %s', async (_, changed, evidence) => {
    const { prepare, know } = await gate();
    know({ standing: 'refused' });
    const failure = {
      code: 'upstream_credential_rejected',
      at: failedAt,
      evidence: 'the status 401 without a body',
    } as const;

    expect(await prepare({ ...EMPTY_RECORD, failure, ...changed })).toMatchObject({ code: failure.code, evidence });
  });

  it('says by which failure a slot is held back, its own or those of others', async () => {
    const { prepare, know, time } = await gate();
    const marks = ['a', 'b', 'c'].map((id) => `${time.now() - 1_000} refused ${id}`);
    know({ standing: 'unproven', failed: new Set(marks) });
    const evidence = 'the status 403 with a body that is no JSON';
    const failure = { code: 'upstream_login_ambiguous', at: failedAt, evidence } as const;

    expect(await prepare({ ...EMPTY_RECORD, failure })).toMatchObject({ code: 'cooldown', evidence });
    expect(await prepare()).toMatchObject({
      code: 'cooldown',
      evidence: 'not sent: other logins of this connection failed lately',
    });
  });

  it('logs in with a version that was refused to this slot, and has brought others a token since', async () => {
    const { prepare } = await gate();

    expect(await prepare({ ...EMPTY_RECORD, refusedVersion: 'version-1' })).toHaveProperty('login');
  });

  it('stops nothing where the kept copy of the secret was merely behind', async () => {
    const { prepare, know, asked } = await gate({ kept: 'version-1', current: 'version-2' });
    know({ standing: 'refused' });

    expect(await prepare()).toMatchObject({ secret: { versionId: 'version-2' } });
    expect(asked).toEqual([{ maxAgeMs: 5_000 }, { maxAgeMs: 0 }]);
  });

  it('lets an older copy of the secret not take the place of a newer version', async () => {
    const { prepare, know, logins } = await gate({ kept: 'version-1', current: 'version-2' });
    know({ secretVersion: 'version-2' });

    expect(await prepare()).toMatchObject({ secret: { versionId: 'version-2' } });
    expect(logins()).toMatchObject({ secretVersion: 'version-2', standing: 'proven' });
  });

  it('looks for a new version once, and no further, where the version is refused', async () => {
    const { prepare, know, asked } = await gate();
    know({ standing: 'refused' });
    const prepared = await prepare();

    expect(prepared).toMatchObject({ code: 'upstream_credential_rejected', refusedVersion: undefined });
    expect(asked).toHaveLength(2);
  });

  it('keeps what it knows of a version for a year', async () => {
    const { time, logins } = await gate();

    expect(logins().ttlSeconds - time.now() / 1_000).toBeGreaterThan(366 * 86_400 - 2);
  });

  it('has others wait while a version is being proven, and goes on after it', async () => {
    const { prepare, know, time, loginGate, connection } = await gate();
    know({ standing: 'unproven' });
    const leave = leaveOf(await prepare());
    expect(await prepare(EMPTY_RECORD, '88')).toBe('waiting');
    await time.settle(loginGate.ended(connection, leave, notSent));

    expect(await prepare(EMPTY_RECORD, '88')).toHaveProperty('noted', 'probe');
  });

  it('has a reader of an older version look again, once another has begun with a newer one', async () => {
    const { prepare, know, beforeNext, logins } = await gate();
    know({ standing: 'unproven' });
    beforeNext('changeLogins', () => know({ secretVersion: 'version-2', refusals: 1 }));

    expect(await prepare(EMPTY_RECORD, '88')).toBe('waiting');
    expect(logins()).toMatchObject({ secretVersion: 'version-2', refusals: 1 });
  });

  it('recognises its own turn where the reply to the write was lost', async () => {
    const { prepare, know, failNext } = await gate();
    know({ standing: 'unproven' });
    failNext('changeLogins', 'reply_lost');
    const leave = leaveOf(await prepare());
    expect(leave.logins.probe?.id).toBe('lease-of-system');

    failNext('changeLogins', 'sent_twice');
    know({ probe: undefined, notBefore: 0 });
    expect(await prepare(EMPTY_RECORD, '88')).toHaveProperty('noted', 'probe');
  });

  it('throws where its turn could not be written', async () => {
    const { prepare, know, failNext } = await gate();
    know({ standing: 'unproven' });
    failNext('changeLogins', 'down');

    await expect(prepare()).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('decides once more where another has written in between', async () => {
    const { prepare, know, beforeNext } = await gate();
    know({ standing: 'unproven' });
    beforeNext('changeLogins', () => know({ standing: 'refused' }));

    expect(await prepare()).toMatchObject({ code: 'upstream_credential_rejected' });
  });

  it('writes down a refusal although another writes at the same moment', async () => {
    const { prepare, time, loginGate, connection, beforeNext, know, logins } = await gate();
    const leave = leaveOf(await prepare());
    beforeNext('changeLogins', () => know({ refusals: 1 }));
    await time.settle(loginGate.ended(connection, leave, refused));

    expect(logins()).toMatchObject({ standing: 'refused', failed: { size: 1 } });
  });

  it('lets a renewal use a version that is proven, and writes nothing for it', async () => {
    const { prepareRenewal, know, writes } = await gate();
    expect(await prepareRenewal()).toHaveProperty('secret');
    know({ standing: 'unproven' });
    expect(await prepareRenewal()).toBeUndefined();
    know({ standing: 'refused' });
    expect(await prepareRenewal()).toBeUndefined();

    expect(writes()).toEqual([]);
  });

  it('undoes no login that worked where that cannot be written, and tells operators', async () => {
    const { broker, failNext, beforeNext, said } = harness();
    beforeNext('changeLogins', () => {});
    failNext('changeLogins', 'down');

    expect((await broker.handOut({ subject: '3' })).source).toBe('login');
    expect(said.warnings.filter((warning) => /end of a login could not be written/.test(warning))).toHaveLength(1);
  });

  it('hides no refusal where it cannot be written', async () => {
    const { broker, upstream, failNext, beforeNext, record } = harness();
    upstream.rules.accepted.clear();
    beforeNext('changeLogins', () => {});
    failNext('changeLogins', 'down');

    expect((await broker.refusal({ subject: '2' })).code).toBe('upstream_credential_rejected');
    expect(record('2').refusedVersion).toBeDefined();
  });
});

describe('the gate of a login that sends nothing', () => {
  const provider = { ...helpdeskConnection().provider, logins: { system: [], user: [{ url: '/login' }] } };
  const selfSigned = { ...helpdeskConnection(), provider };
  const issued = { kind: 'token', value: new Secret('t'), life: { seconds: 1_200 }, requestStartedAt: 1 } as const;

  it('is open while another login proves the version, and nothing is written of it', async () => {
    const { prepare, know, writes, logins, loginGate, time } = await gate({ connection: selfSigned });
    know({ standing: 'unproven' });
    leaveOf(await prepare(EMPTY_RECORD, '88'));
    const before = writes().length;
    const leave = leaveOf(await prepare());
    await time.settle(loginGate.ended(selfSigned, leave, issued));

    expect(writes()).toHaveLength(before);
    expect(logins()).toMatchObject({ standing: 'unproven', probe: { id: 'lease-of-88' } });
  });

  it('hears no answer of the upstream from it', async () => {
    const { prepare, know, logins, loginGate, time } = await gate({ connection: selfSigned });
    const timedOut = { subject: '88', at: time.now(), subjects: 1 };
    know({ timedOut });
    await time.settle(loginGate.ended(selfSigned, leaveOf(await prepare()), issued));

    expect(logins().timedOut).toEqual(timedOut);
  });

  it('is open although logins of the connection have failed, and a limit is used up', async () => {
    const connection = { ...selfSigned, provider: { ...provider, limits: { tokens: { count: 1, perSeconds: 60 } } } };
    const { prepare, know, time } = await gate({ connection });
    const failed = new Set([1, 2, 3, 4].map((n) => `${time.now()} refused ${n}`));
    know({ standing: 'unproven', failed, issued: new Set([`${time.now()} unknown one`]) });

    expect(await prepare()).toHaveProperty('login');
  });

  it('is shut by a version that the upstream is known to refuse', async () => {
    const { prepare, know } = await gate({ connection: selfSigned });
    know({ secretVersion: 'version-1', standing: 'refused' });

    expect(await prepare()).toMatchObject({ code: 'upstream_credential_rejected' });
  });

  it('is that of every login where a probe is sent', async () => {
    const { prepare, know, logins, loginGate, time, connection } = await gate({
      connection: { ...selfSigned, provider: { ...provider, probe: { url: '/me' } } },
    });
    know({ standing: 'unproven' });
    const leave = leaveOf(await prepare());
    expect(leave.noted).toBe('probe');
    await time.settle(loginGate.ended(connection, leave, issued));

    expect(logins()).toMatchObject({ standing: 'proven', probe: undefined });
  });
});
