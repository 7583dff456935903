import type { Secret } from '../words/secret.ts';
import type { Slot } from './slot.ts';

/** A data key: for the cipher in the clear, and as KMS encrypted it. */
export interface DataKey {
  readonly plaintext: Secret<Uint8Array>;
  readonly encrypted: Uint8Array;
}

/** KMS data keys under the encryption context {broker, connection, subject}. Throws `kms_unavailable`. */
export interface Keys {
  generate(slot: Slot): Promise<DataKey>;
  /** The clear key, or undefined where it was not encrypted under this key for this slot. */
  decrypt(slot: Slot, encrypted: Uint8Array): Promise<Secret<Uint8Array> | undefined>;
}
