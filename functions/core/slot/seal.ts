import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../words/json.ts';
import type { Random } from '../words/platform.ts';
import { Secret } from '../words/secret.ts';
import type { WaitingValue } from './kept.ts';
import type { DataKey } from './keys.ts';
import type { SealedToken, SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';
import { CLOCK_SKEW_MS, hashOf, type KeptValues, type TokenTimes } from './token.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Place that a sealed token is bound to: it does not open at any other. */
export interface SealPlace {
  readonly broker: string;
  readonly slot: Slot;
  readonly generation: number;
}

/** Content of a sealed token: its value, and the attributes and values that came with it. */
export interface SealedContent {
  readonly value: Secret<string>;
  readonly attributes: JsonObject;
  readonly values: KeptValues;
}

/** Closed values as a sealed token holds them: both, or neither. */
export type ClosedValues = Pick<SealedToken, 'closedCiphertext' | 'closedDataKey'>;

/** A token to seal, with the facts that are kept in the clear. */
export interface Unsealed extends SealedContent, TokenTimes, ClosedValues {
  readonly key: DataKey;
  readonly secretVersion: string;
  readonly sessionStartedAt: number;
  readonly warning?: string | undefined;
}

/**
 * Seals a token as the next generation of a record: AES-256-GCM with a new nonce; nonce, tag and ciphertext in one
 * piece.
 */
export function sealNext(
  { broker, random }: { readonly broker: string; readonly random: Random },
  slot: Slot,
  record: Pick<SlotRecord, 'generation'>,
  unsealed: Unsealed,
): SealedToken {
  const { key, value, attributes, values, issuedAt, expiresAt, refreshAt, secretVersion, sessionStartedAt } = unsealed;
  const { closedCiphertext, closedDataKey, warning } = unsealed;
  const usableUntil = expiresAt - CLOCK_SKEW_MS;
  const bound = { issuedAt, usableUntil, refreshAt, secretVersion, sessionStartedAt, warning };
  const kept = Object.keys(values).length === 0 ? {} : { values };
  const plaintext = JSON.stringify({ token: value.reveal(), attributes, ...kept });
  const place = { broker, slot, generation: record.generation + 1 };
  return {
    ...bound,
    ciphertext: encrypt(plaintext, key, associatedData(place, bound), random),
    dataKey: key.encrypted,
    closedCiphertext,
    closedDataKey,
    hash: hashOf(value),
    publicationId: random.uuid(),
  };
}

/** Place that closed values are bound to: the session that they began with. Slides and refreshes keep them. */
export interface ClosedPlace {
  readonly broker: string;
  readonly slot: Slot;
  readonly sessionStartedAt: number;
  readonly secretVersion: string;
}

/** Seals closed values under a data key of their own. */
export function sealClosed(
  values: Secret<KeptValues>,
  key: DataKey,
  place: ClosedPlace,
  random: Pick<Random, 'bytes'>,
): ClosedValues {
  const closedCiphertext = encrypt(JSON.stringify(values.reveal()), key, closedData(place), random);
  return { closedCiphertext, closedDataKey: key.encrypted };
}

/** Place that a waiting value is bound to: a connection, whatever its fingerprint. */
export type KeptPlace = Pick<SealPlace, 'broker'> & { readonly connection: string };

/** Seals a value of fields that rotate, until the kept secret can take it. */
export function sealKept(
  value: Secret<string>,
  key: DataKey,
  place: KeptPlace,
  random: Pick<Random, 'bytes'>,
): WaitingValue {
  return { ciphertext: encrypt(JSON.stringify(value.reveal()), key, keptData(place), random), dataKey: key.encrypted };
}

/** Decrypts a value sealed by `sealKept`, or returns undefined as `open` does. */
export function openKept(
  ciphertext: Uint8Array,
  key: Secret<Uint8Array>,
  place: KeptPlace,
): Secret<string> | undefined {
  const value = decrypt(ciphertext, key, keptData(place));
  return typeof value === 'string' ? new Secret(value) : undefined;
}

/** Decrypts closed values sealed by `sealClosed`, or returns undefined as `open` does. */
export function openClosed(
  ciphertext: Uint8Array,
  key: Secret<Uint8Array>,
  place: ClosedPlace,
): Secret<KeptValues> | undefined {
  const values = parseTexts(decrypt(ciphertext, key, closedData(place)));
  return values && new Secret(values);
}

function encrypt(plaintext: string, key: DataKey, associated: Uint8Array, random: Pick<Random, 'bytes'>): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.plaintext.reveal(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  const encrypted = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
}

/**
 * Decrypts a token sealed by `sealNext`. Returns undefined if it was sealed under another key or for another place, or
 * if the token, a fact that it is bound to, or its hash was changed.
 */
export function open(token: SealedToken, key: Secret<Uint8Array>, place: SealPlace): SealedContent | undefined {
  const content = parseContent(decrypt(token.ciphertext, key, associatedData(place, token)));
  return content !== undefined && hashOf(content.value) === token.hash ? content : undefined;
}

function decrypt(sealed: Uint8Array, key: Secret<Uint8Array>, associated: Uint8Array): JsonValue | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, keyObjectOf(key), sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    // Throws if the data is not authentic, so it comes before the first use of the plaintext.
    decipher.final();
    const parsed: JsonValue = JSON.parse(plaintext.toString('utf8'));
    return parsed;
  } catch {
    return undefined;
  }
}

// Creating a key object takes longer than decrypting a token, and one key opens many tokens.
const keyObjects = new WeakMap<Secret<Uint8Array>, KeyObject>();

function keyObjectOf(key: Secret<Uint8Array>): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key.reveal());
  keyObjects.set(key, made);
  return made;
}

function parseContent(parsed: JsonValue | undefined): SealedContent | undefined {
  if (!isJsonObject(parsed)) return undefined;
  const { token, attributes, values = {} } = parsed;
  const texts = parseTexts(values);
  if (typeof token !== 'string' || !isJsonObject(attributes) || texts === undefined) return undefined;
  return { value: new Secret(token), attributes, values: texts };
}

function parseTexts(parsed: JsonValue | undefined): KeptValues | undefined {
  if (!isJsonObject(parsed)) return undefined;
  const texts: [string, string][] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'string') return undefined;
    texts.push([name, value]);
  }
  return Object.fromEntries(texts);
}

/** Encodes the facts that a ciphertext is bound to: it does not open if one of them has changed. */
function associatedData(
  { broker, slot, generation }: SealPlace,
  bound: Pick<SealedToken, 'issuedAt' | 'usableUntil' | 'refreshAt' | 'secretVersion' | 'sessionStartedAt' | 'warning'>,
): Uint8Array {
  const { connection, subject, fingerprint } = slot;
  const { issuedAt, usableUntil, refreshAt, secretVersion, sessionStartedAt, warning = '' } = bound;
  const place = [broker, connection, subject, fingerprint, generation];
  const facts = [issuedAt, usableUntil, refreshAt, secretVersion, sessionStartedAt, warning];
  return Buffer.from(JSON.stringify([...place, ...facts]));
}

function closedData({ broker, slot, sessionStartedAt, secretVersion }: ClosedPlace): Uint8Array {
  const { connection, subject, fingerprint } = slot;
  return Buffer.from(
    JSON.stringify(['closed', broker, connection, subject, fingerprint, sessionStartedAt, secretVersion]),
  );
}

function keptData({ broker, connection }: KeptPlace): Uint8Array {
  return Buffer.from(JSON.stringify(['kept', broker, connection]));
}
