import { describe, expect, it } from 'vitest';
import { open, SEAL_NONCE_BYTES, type SealContext, seal } from '../../../../functions/core/slot/seal.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';

const key = new Secret(new Uint8Array(32).fill(7));

const nonce = new Uint8Array(SEAL_NONCE_BYTES).fill(1);

const content = { value: new Secret('the token'), attributes: { agentId: 7, asOf: 'now' } };

const context: SealContext = {
  broker: 'some-broker',
  slot: { connection: 'helpdesk', subject: '88', fingerprint: 'f00d' },
  generation: 3,
  issuedAt: 1,
  usableUntil: 2,
  secretVersion: 'version-1',
};

const sealed = seal(content, key, context, nonce);

describe('seal and open', () => {
  it('opens what was sealed', () => {
    const opened = open(sealed, key, context);

    expect(opened?.value.reveal()).toBe('the token');
    expect(opened?.attributes).toEqual({ agentId: 7, asOf: 'now' });
  });

  it.each([
    ['broker', { ...context, broker: 'other' }],
    ['connection', { ...context, slot: { ...context.slot, connection: 'other' } }],
    ['subject', { ...context, slot: { ...context.slot, subject: '89' } }],
    ['fingerprint', { ...context, slot: { ...context.slot, fingerprint: 'beef' } }],
    ['generation', { ...context, generation: 4 }],
    ['issuedAt', { ...context, issuedAt: 2 }],
    ['usableUntil', { ...context, usableUntil: 3 }],
    ['secret version', { ...context, secretVersion: 'version-2' }],
    [
      'shift from one part to the next',
      { ...context, slot: { connection: 'helpdes', subject: 'k88', fingerprint: 'f00d' } },
    ],
  ])('opens nothing with another %s (invariant 8)', (_what, other) => {
    expect(open(sealed, key, other)).toBeUndefined();
  });

  it('opens nothing under another key', () => {
    expect(open(sealed, new Secret(new Uint8Array(32).fill(8)), context)).toBeUndefined();
  });

  it('opens nothing with any one bit changed', () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(open(changed, key, context)).toBeUndefined();
    }
  });

  it.each([0, 1, 27, 28])('opens nothing when cut to %i bytes', (length) => {
    expect(open(sealed.subarray(0, length), key, context)).toBeUndefined();
  });

  it('opens nothing under a key of the wrong length', () => {
    expect(open(sealed, new Secret(new Uint8Array(5)), context)).toBeUndefined();
  });

  it.each([
    ['token', { ...content, value: new Secret(JSON.parse('7')) }],
    ['attributes', { ...content, attributes: JSON.parse('[]') }],
  ])('opens nothing that was sealed with a wrong kind of %s', (_what, wrong) => {
    expect(open(seal(wrong, key, context, nonce), key, context)).toBeUndefined();
  });

  it('shows nothing of the token in the ciphertext', () => {
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('token');
  });
});
