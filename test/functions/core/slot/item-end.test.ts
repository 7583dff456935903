import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';
import { helpdeskConnection } from '../../../simulation/connections.ts';

describe('the end of an item', () => {
  it('stays a day ahead after a failed attempt of the schedule, whose back-off lives there', async () => {
    const { broker, upstream, advance, record, time } = harness();
    await broker.handOut();
    await advance({ hours: 20 });
    upstream.planned.push('lost');
    await broker.sweep();

    expect(record().tries).toBe(1);
    expect(record().ttlSeconds * 1000 - time.now()).toBeGreaterThan(86_000_000);
  });

  it('stays a day ahead after an invocation of mint that was refused', async () => {
    const { broker, fleet, record, time } = harness();
    fleet.planned.push('refused');
    await broker.refusal();

    expect(record().ttlSeconds * 1000 - time.now()).toBeGreaterThan(86_000_000);
  });

  it('is where the token ends, once one is published', async () => {
    const { broker, record } = harness({ connection: helpdeskConnection({ maxTokenAgeSeconds: 3_600 }) });
    const { token } = await broker.handOut();

    expect(record().ttlSeconds).toBe(Math.ceil((token.expiresAt - 5_000) / 1000));
  });

  it('may have passed while the item is still there: its token is not handed out', async () => {
    const { broker, advance, record, upstream } = harness();
    const { token } = await broker.handOut();
    await advance({ hours: 72 });
    expect(record().token?.hash).toBe(token.hash);

    expect((await broker.handOut()).token.generation).toBe(2);
    expect(upstream.logins).toHaveLength(2);
  });

  it('is followed by a hand-out that logs in and counts from one again', async () => {
    const { broker, advance, table, slot } = harness();
    await broker.handOut();
    await advance({ hours: 72 });
    expect(table.expire(slot())).toBe(true);

    expect(await broker.handOut()).toMatchObject({ source: 'login', token: { generation: 1 } });
  });
});
