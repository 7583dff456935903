import { describe, expect, it } from 'vitest';
import { harness } from '../../../protocol/harness.ts';

describe('a stored token that does not decrypt', () => {
  async function spoilt(spoil: (hex: Uint8Array) => Uint8Array) {
    const made = harness({ instances: 2 });
    await made.broker.handOut();
    const record = made.record();
    const { token } = record;
    if (token === undefined) throw new Error('there is no token');
    made.table.set('spoil', made.slot(), { ...record, token: { ...token, ciphertext: spoil(token.ciphertext) } });
    return made;
  }

  it('is discarded with an alarm, and one login replaces it', async () => {
    const { broker, upstream, said, advance } = await spoilt((bytes) => Uint8Array.from(bytes, (byte) => byte ^ 1));
    await advance({ minutes: 2 });
    const { token, source } = await broker.handOut({ on: 1 });

    expect({ source, generation: token.generation }).toEqual({ source: 'login', generation: 2 });
    expect(said.metrics.filter(({ name }) => name === 'CiphertextRejected').length).toBeGreaterThan(0);
    expect(said.warnings.some((warning) => warning.includes('did not decrypt'))).toBe(true);
    expect(upstream.logins).toHaveLength(2);
  });

  it('is not replaced over and over where every login fails', async () => {
    const { broker, upstream, advance } = await spoilt(() => new Uint8Array(3));
    upstream.planned.push('broken');
    expect((await broker.refusal({ on: 1 })).code).toBe('upstream_login_ambiguous');
    await advance({ seconds: 30 });
    expect((await broker.refusal({ on: 1 })).code).toBe('cooldown');
    expect(upstream.logins).toHaveLength(2);
  });

  it('does not open in the item of another slot (invariant 8)', async () => {
    const { broker, record, slot, table, upstream } = harness({ instances: 2 });
    await broker.handOut({ subject: '88' });
    await broker.handOut({ subject: '89' });
    const { token } = record('88');
    if (token === undefined) throw new Error('there is no token');
    table.set('spoil', slot('89'), { ...record('89'), token });
    const handedOut = await broker.handOut({ subject: '89', on: 1 });

    expect(upstream.find(handedOut.token.hash)?.subject).toBe('89');
    expect(upstream.logins).toHaveLength(3);
  });
});
