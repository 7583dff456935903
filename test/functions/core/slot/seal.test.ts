import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { open, openClosed, type SealPlace, sealClosed, sealNext } from '../../../../functions/core/slot/seal.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { createSeededRandom } from '../../../simulation/seeded-random.ts';

const key = new Secret(new Uint8Array(32).fill(7));

const token = {
  ...{ value: new Secret('the token'), attributes: { agentId: 7, asOf: 'now' }, secretVersion: 'version-1' },
  ...{ issuedAt: 1, expiresAt: 5_004, refreshAt: 3, sessionStartedAt: 0 },
  values: { instance: 'https://a.example' },
  key: { plaintext: key, encrypted: Uint8Array.of(9) },
};

const place: SealPlace = {
  broker: 'some-broker',
  slot: { connection: 'helpdesk', subject: '88', fingerprint: 'f00d' },
  generation: 3,
};

const sealing = { broker: place.broker, random: createSeededRandom(1) };
const sealed = sealNext(sealing, place.slot, { generation: 2 }, token);

describe('sealNext and open', () => {
  it('gives back what was sealed', () => {
    const opened = open(sealed, key, place);

    expect(opened?.value.reveal()).toBe('the token');
    expect(opened?.attributes).toEqual({ agentId: 7, asOf: 'now' });
    expect(opened?.values).toEqual({ instance: 'https://a.example' });
  });

  it('keeps in the clear what is known of a token without its key', () => {
    expect(sealed).toMatchObject({
      ...{ issuedAt: 1, usableUntil: 4, refreshAt: 3, sessionStartedAt: 0, secretVersion: 'version-1' },
      dataKey: Uint8Array.of(9),
      hash: createHash('sha256').update('the token').digest('hex'),
    });
  });

  it('seals a token in another way each time', () => {
    const again = sealNext(sealing, place.slot, { generation: 2 }, token);

    expect(again.ciphertext.subarray(0, 12)).not.toEqual(sealed.ciphertext.subarray(0, 12));
    expect(again.publicationId).not.toBe(sealed.publicationId);
  });

  it.each<[string, Partial<SealPlace>]>([
    ['broker', { broker: 'other' }],
    ['connection', { slot: { ...place.slot, connection: 'other' } }],
    ['subject', { slot: { ...place.slot, subject: '89' } }],
    ['fingerprint', { slot: { ...place.slot, fingerprint: 'beef' } }],
    ['generation', { generation: 4 }],
    ['shift from one part to the next', { slot: { connection: 'helpdes', subject: 'k88', fingerprint: 'f00d' } }],
  ])('opens nothing with another %s (invariant 8)', (_what, other) => {
    expect(open(sealed, key, { ...place, ...other })).toBeUndefined();
  });

  it.each([
    ['issuedAt', { issuedAt: 2 }],
    ['usableUntil', { usableUntil: 3 }],
    ['secret version', { secretVersion: 'version-2' }],
  ])('opens nothing with another %s (invariant 8)', (_what, other) => {
    expect(open({ ...sealed, ...other }, key, place)).toBeUndefined();
  });

  it('opens nothing under another key', () => {
    expect(open(sealed, new Secret(new Uint8Array(32).fill(8)), place)).toBeUndefined();
  });

  it('opens nothing with any one bit changed', () => {
    for (let index = 0; index < sealed.ciphertext.length; index += 1) {
      const ciphertext = Uint8Array.from(sealed.ciphertext);
      ciphertext[index] = (ciphertext[index] ?? 0) ^ 1;
      expect(open({ ...sealed, ciphertext }, key, place)).toBeUndefined();
    }
  });

  it.each([0, 1, 27, 28])('opens nothing when cut to %i bytes', (length) => {
    const ciphertext = sealed.ciphertext.subarray(0, length);

    expect(open({ ...sealed, ciphertext }, key, place)).toBeUndefined();
  });

  it('opens nothing under a key of the wrong length', () => {
    expect(open(sealed, new Secret(new Uint8Array(5)), place)).toBeUndefined();
  });

  it.each([
    // In JSON it is an object.
    ['token', { value: new Secret(JSON.parse('["bytes"]', () => Buffer.from('bytes'))) }],
    ['attributes', { attributes: JSON.parse('[]') }],
    ['values', { values: JSON.parse('{"a":1}') }],
  ])('opens nothing that was sealed with a wrong kind of %s', (_what, wrong) => {
    const wrongly = sealNext(sealing, place.slot, { generation: 2 }, { ...token, ...wrong });

    expect(open(wrongly, key, place)).toBeUndefined();
  });

  it('shows nothing of the token in the ciphertext', () => {
    expect(Buffer.from(sealed.ciphertext).toString('latin1')).not.toContain('token');
  });
});

describe('sealClosed and openClosed', () => {
  const closedPlace = { ...place, sessionStartedAt: 0, secretVersion: 'version-1' };
  const closedKey = { plaintext: new Secret<Uint8Array>(new Uint8Array(32).fill(3)), encrypted: Uint8Array.of(1) };
  const closed = sealClosed(new Secret({ devKey: 'part of the credential' }), closedKey, closedPlace, sealing.random);
  const ciphertext = closed.closedCiphertext ?? new Uint8Array();

  it('gives back what was sealed, under its own key alone', () => {
    expect(openClosed(ciphertext, closedKey.plaintext, closedPlace)?.reveal()).toEqual({
      devKey: 'part of the credential',
    });
    expect(closed.closedDataKey).toEqual(Uint8Array.of(1));
    expect(openClosed(ciphertext, key, closedPlace)).toBeUndefined();
  });

  it.each([
    ['broker', { broker: 'other' }],
    ['slot', { slot: { ...place.slot, subject: '89' } }],
    ['session', { sessionStartedAt: 1 }],
    ['secret version', { secretVersion: 'version-2' }],
  ])('does not open with another %s', (_what, other) => {
    expect(openClosed(ciphertext, closedKey.plaintext, { ...closedPlace, ...other })).toBeUndefined();
  });

  it('does not open as a token, nor a token as closed values', () => {
    expect(open({ ...sealed, ciphertext }, closedKey.plaintext, place)).toBeUndefined();
    expect(openClosed(sealed.ciphertext, key, closedPlace)).toBeUndefined();
  });
});
