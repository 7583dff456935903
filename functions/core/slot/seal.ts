import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../words/json.ts';
import type { Random } from '../words/platform.ts';
import { Secret } from '../words/secret.ts';
import type { DataKey } from './keys.ts';
import type { SealedToken, SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';
import { CLOCK_SKEW_MS, hashOf, type TokenTimes } from './token.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed token belongs: put anywhere else, it does not open. */
export interface SealPlace {
  readonly broker: string;
  readonly slot: Slot;
  readonly generation: number;
}

/** What is sealed: the token, and what the upstream said beside it. */
export interface SealedContent {
  readonly value: Secret<string>;
  readonly attributes: JsonObject;
}

/** A token to seal, with what is kept of it in the clear. */
export interface Unsealed extends SealedContent, TokenTimes {
  readonly key: DataKey;
  readonly secretVersion: string;
  readonly sessionStartedAt: number;
}

/**
 * Seals a token as the next generation of a record: AES-256-GCM with a new nonce; nonce, tag and ciphertext in one piece.
 */
export function sealNext(
  { broker, random }: { readonly broker: string; readonly random: Random },
  slot: Slot,
  record: Pick<SlotRecord, 'generation'>,
  { key, value, attributes, issuedAt, expiresAt, refreshAt, secretVersion, sessionStartedAt }: Unsealed,
): SealedToken {
  const bound = { issuedAt, usableUntil: expiresAt - CLOCK_SKEW_MS, secretVersion };
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.plaintext.reveal(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData({ broker, slot, generation: record.generation + 1 }, bound));
  const plaintext = JSON.stringify({ token: value.reveal(), attributes });
  const encrypted = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return {
    ...bound,
    ciphertext: Buffer.concat([nonce, cipher.getAuthTag(), encrypted]),
    dataKey: key.encrypted,
    refreshAt,
    sessionStartedAt,
    hash: hashOf(value),
    publicationId: random.uuid(),
  };
}

/**
 * Decrypts what `sealNext` made, or returns undefined where it was made under another key or for another place, or was
 * changed, in what it is bound to as well.
 */
export function open(token: SealedToken, key: Secret<Uint8Array>, place: SealPlace): SealedContent | undefined {
  const sealed = token.ciphertext;
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, keyObjectOf(key), sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(place, token));
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

function contentOf(parsed: JsonValue): SealedContent | undefined {
  if (!isJsonObject(parsed)) return undefined;
  const { token, attributes } = parsed;
  if (typeof token !== 'string' || !isJsonObject(attributes)) return undefined;
  return { value: new Secret(token), attributes };
}

/** Everything that a ciphertext is bound to: with any of it changed, it does not open. */
function associatedData(
  { broker, slot, generation }: SealPlace,
  { issuedAt, usableUntil, secretVersion }: Pick<SealedToken, 'issuedAt' | 'usableUntil' | 'secretVersion'>,
): Uint8Array {
  const { connection, subject, fingerprint } = slot;
  return Buffer.from(
    JSON.stringify([broker, connection, subject, fingerprint, generation, issuedAt, usableUntil, secretVersion]),
  );
}
