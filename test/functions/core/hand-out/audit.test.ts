import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';

describe('recordHandOut (invariant 10)', () => {
  it('records every hand-out with all it must say, before the answer', async () => {
    const { broker, audits, answers, vault, connection } = harness();
    await broker.handOut({ subject: '88', caller: 'arn:aws:iam::1:user/one' });
    await broker.handOut({ subject: '88', caller: 'arn:aws:iam::1:user/two' });

    expect(audits).toHaveLength(2);
    expect(audits[1]).toMatchObject({
      caller: 'arn:aws:iam::1:user/two',
      connection: 'helpdesk',
      subject: '88',
      tokenHash: answers[1]?.handOut?.token.hash,
      generation: 1,
      secretVersion: vault.current(connection.secret)?.versionId,
      source: 'cache',
      requestId: 'request-2',
    });
    expect(answers.map(({ auditsBefore }) => auditsBefore)).toEqual([1, 2]);
  });

  it('hands nothing out where the record cannot be written', async () => {
    const { broker, weather, audits } = harness();
    await broker.handOut();
    weather.audit.down = 1;

    expect((await broker.refusal()).code).toBe('audit_unavailable');
    expect(audits).toHaveLength(1);
  });

  it('counts hand-outs in one metric a connection, and logs their source and the seconds that their tokens have left', async () => {
    const { broker, advance, time, said } = harness();
    await broker.handOut();
    await advance({ hours: 1 });
    const { token } = await broker.handOut();
    const secondsLeft = Math.floor((token.expiresAt - 5_000 - time.now()) / 1_000);

    const handOut = (source: string, SecondsToExpiry: unknown) => ({
      ...{ name: 'HandOuts', unit: 'Count', value: 1, dimensions: { connection: 'helpdesk' }, isShared: true },
      fields: { source, SecondsToExpiry },
    });
    expect(said.metrics.filter(({ name }) => name === 'HandOuts')).toEqual([
      handOut('login', expect.any(Number)),
      handOut('cache', secondsLeft),
    ]);
  });
});
