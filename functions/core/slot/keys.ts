import type { Secret } from '../words/secret.ts';

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
 * KMS data keys of a connection, under the encryption context {broker, connection}, and `use` for what is no token. What
 * else a ciphertext belongs to, such as its subject, is in its associated data (`seal.ts`). Throws `kms_unavailable`.
 */
export interface Keys {
  /** Returns a key to seal with: a new one, or one that an instance made for the same within the last hour. */
  generate(connection: string, use?: KeyUse): Promise<DataKey>;
  /** Returns the clear key, or undefined if it was not encrypted under this key for this connection and use. */
  decrypt(connection: string, encrypted: Uint8Array, use?: KeyUse): Promise<Secret<Uint8Array> | undefined>;
}
