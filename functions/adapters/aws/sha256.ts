import { createHash, createHmac, createSecretKey, type Hash, type Hmac, type KeyObject } from 'node:crypto';

/** Data that the SDK signs and hashes. */
type Data = string | ArrayBuffer | ArrayBufferView;

/** The SDK's interface of a hash: SHA-256 of what it is updated with, or the HMAC of that under `secret`. */
interface Sha256 {
  update(data: Data): void;
  digest(): Promise<Uint8Array>;
  reset(): void;
}

/**
 * Creates the SHA-256 and HMAC that a client of the SDK signs its requests with (FIPS 180-4, RFC 2104), with keys that
 * are made ready once. A secret given as bytes must keep them.
 *
 * The SDK's own gives `createHmac` bytes each time, and Node 24.21 finds out by two exceptions, with their stacks, that
 * they are no key object: 11 µs for an HMAC that takes 2. A signature has two of them.
 */
export function createAwsSha256(): new (secret?: Data) => Sha256 {
  // The SDK signs with the same two keys all day: the secret key as text, and the bytes it derives from that.
  const keys = new WeakMap<ArrayBuffer | ArrayBufferView, KeyObject>();
  let lastText: { readonly text: string; readonly key: KeyObject } | undefined;

  function keyOf(secret: Data): KeyObject {
    if (typeof secret === 'string') {
      if (lastText?.text !== secret) lastText = { text: secret, key: createSecretKey(secret, 'utf8') };
      return lastText.key;
    }
    const known = keys.get(secret);
    if (known !== undefined) return known;
    const key = createSecretKey(bytesOf(secret));
    keys.set(secret, key);
    return key;
  }

  return class implements Sha256 {
    readonly #key: KeyObject | undefined;
    #hash: Hash | Hmac;

    constructor(secret?: Data) {
      this.#key = secret === undefined ? undefined : keyOf(secret);
      this.#hash = this.#begin();
    }

    update(data: Data): void {
      this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
    }

    async digest(): Promise<Uint8Array> {
      return this.#hash.digest();
    }

    reset(): void {
      this.#hash = this.#begin();
    }

    #begin(): Hash | Hmac {
      return this.#key === undefined ? createHash('sha256') : createHmac('sha256', this.#key);
    }
  };
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
