import type { Secret } from '../words/secret.ts';
import type { Slot } from './slot.ts';

/** A data key, in the clear for the cipher, and encrypted by KMS. */
export interface DataKey {
  readonly plaintext: Secret<Uint8Array>;
  readonly encrypted: Uint8Array;
}

/**
 * Use of a key: for tokens, in every function that hands out; for closed values, in `mint` and `proxy` alone; for
 * values of fields that rotate, in `mint` alone.
 */
export type KeyUse = 'token' | 'closed' | 'kept';

/**
 * KMS data keys under the encryption context {broker, connection, subject}, and `use` for what is no token. Throws
 * `kms_unavailable`.
 */
export interface Keys {
  generate(slot: Slot, use?: KeyUse): Promise<DataKey>;
  /** Returns the clear key, or undefined if it was not encrypted under this key for this slot and use. */
  decrypt(slot: Slot, encrypted: Uint8Array, use?: KeyUse): Promise<Secret<Uint8Array> | undefined>;
}
