import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';

/** Two instances, the second without memory of a token that does not decrypt. */
async function spoilt(ciphertext = new Uint8Array(40)) {
  const made = harness({ instances: 2 });
  await made.broker.handOut();
  made.putToken({ ciphertext });
  return made;
}

describe('openToken', () => {
  it('discards a token that does not decrypt, with an alarm, and one login replaces it', async () => {
    const { broker, upstream, said, advance } = await spoilt();
    await advance({ minutes: 2 });

    expect(await broker.handOut({ on: 1 })).toMatchObject({ source: 'login', token: { generation: 2 } });
    expect(said.metrics.filter(({ name }) => name === 'CiphertextRejected').length).toBeGreaterThan(0);
    expect(said.warnings.some((warning) => warning.includes('did not decrypt'))).toBe(true);
    expect(upstream.logins).toHaveLength(2);
  });

  it('has no token replaced over and over where every login fails', async () => {
    const { broker, upstream, advance } = await spoilt(new Uint8Array(3));
    upstream.planned.push('broken');
    expect((await broker.refusal({ on: 1 })).code).toBe('upstream_login_ambiguous');
    await advance({ seconds: 30 });

    expect((await broker.refusal({ on: 1 })).code).toBe('cooldown');
    expect(upstream.logins).toHaveLength(2);
  });

  it('opens no token in the item of another slot (invariant 8)', async () => {
    const { broker, record, put, upstream } = harness({ instances: 2 });
    await broker.handOut({ subject: '88' });
    await broker.handOut({ subject: '89' });
    put({ token: record('88').token }, '89');
    const { token } = await broker.handOut({ subject: '89', on: 1 });

    expect(upstream.find(token.hash)?.subject).toBe('89');
    expect(upstream.logins).toHaveLength(3);
  });
});
