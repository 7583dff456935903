import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../words/json.ts';
import { Secret } from '../words/secret.ts';
import type { Slot } from './slot.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Everything that a ciphertext is bound to: moved to another item, or with any of these changed, it does not open. */
export interface SealContext {
  readonly broker: string;
  readonly slot: Slot;
  readonly generation: number;
  readonly issuedAt: number;
  readonly usableUntil: number;
  readonly secretVersion: string;
}

/** What is sealed: the token, and what the upstream said beside it. */
export interface SealedContent {
  readonly value: Secret<string>;
  readonly attributes: JsonObject;
}

/** Encrypts a token with AES-256-GCM; nonce, tag and ciphertext in one piece. A nonce is used once. */
export function seal(
  content: SealedContent,
  key: Secret<Uint8Array>,
  context: SealContext,
  nonce: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key.reveal(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(context));
  const plaintext = JSON.stringify({ token: content.value.reveal(), attributes: content.attributes });
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** Decrypts what `seal` made, or returns undefined where it was made under another key or context, or was changed. */
export function open(sealed: Uint8Array, key: Secret<Uint8Array>, context: SealContext): SealedContent | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, keyObjectOf(key), sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(context));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    // Before a byte of it is looked at: throws where it is not authentic, and has nothing left to give.
    decipher.final();
    return contentOf(JSON.parse(plaintext.toString('utf8')));
  } catch {
    return undefined;
  }
}

// Making a key of its bytes takes longer than to open a token with it, and the same one opens many.
const keyObjects = new WeakMap<Secret<Uint8Array>, KeyObject>();

function keyObjectOf(key: Secret<Uint8Array>): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key.reveal());
  keyObjects.set(key, made);
  return made;
}

/** How many random bytes `seal` needs as its nonce. */
export const SEAL_NONCE_BYTES = NONCE_BYTES;

function contentOf(parsed: JsonValue): SealedContent | undefined {
  if (!isJsonObject(parsed)) return undefined;
  const { token, attributes } = parsed;
  if (typeof token !== 'string' || !isJsonObject(attributes)) return undefined;
  return { value: new Secret(token), attributes };
}

function associatedData({ broker, slot, generation, issuedAt, usableUntil, secretVersion }: SealContext): Uint8Array {
  const { connection, subject, fingerprint } = slot;
  return Buffer.from(
    JSON.stringify([broker, connection, subject, fingerprint, generation, issuedAt, usableUntil, secretVersion]),
  );
}
