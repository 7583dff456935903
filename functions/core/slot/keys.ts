import type { Secret } from '../words/secret.ts';
import type { Slot } from './slot.ts';

/** A data key: for the cipher in the clear, and as KMS encrypted it. */
export interface DataKey {
  readonly plaintext: Secret<Uint8Array>;
  readonly encrypted: Uint8Array;
}

/** A key for a token, which every function that hands out may use; or for closed values, which `mint` and `proxy` may. */
export type KeyUse = 'token' | 'closed';

/** KMS data keys under the encryption context {broker, connection, subject}, and `use` for closed values. Throws `kms_unavailable`. */
export interface Keys {
  generate(slot: Slot, use?: KeyUse): Promise<DataKey>;
  /** The clear key, or undefined where it was not encrypted under this key for this slot and use. */
  decrypt(slot: Slot, encrypted: Uint8Array, use?: KeyUse): Promise<Secret<Uint8Array> | undefined>;
}
