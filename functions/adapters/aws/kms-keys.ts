import type { DataKey, Keys, KeyUse } from '../../core/slot/keys.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import { createSingleFlight } from '../../core/words/single-flight.ts';
import { createKeyCache } from './key-cache.ts';
import type { KmsRequests } from './kms.ts';

const KEY_BYTES = 32;
/** Longest ciphertext that KMS accepts, in bytes. It reports a longer one just as it does the broker's own mistakes. */
const LONGEST_ENCRYPTED_BYTES = 6_144;
const CACHED_KEYS = 1_000;
/** Time that a key that was decrypted is kept. */
const OPENED_FOR_MS = 5 * 60_000;
/** Time that a key that was made is sealed with. */
const SEALED_WITH_FOR_MS = 60 * 60_000;

/**
 * Creates the data keys of `broker`, AES-256, by `requests` to KMS.
 *
 * A key is sealed with for an hour, so that whoever opens many tokens of a connection asks KMS seldom (ADR 0032).
 * Decrypted keys are kept for five minutes, at most 1,000; requests for the same key that overlap are one request.
 */
export function createKmsKeys({
  requests,
  broker,
  clock,
}: {
  readonly requests: KmsRequests;
  readonly broker: string;
  readonly clock: Clock;
}): Keys {
  const limits = { maxEntries: CACHED_KEYS, now: () => clock.now() };
  const opened = createKeyCache<Secret<Uint8Array>>({ ...limits, maxAgeMs: OPENED_FOR_MS });
  const made = createKeyCache<DataKey>({ ...limits, maxAgeMs: SEALED_WITH_FOR_MS });
  const openOnce = createSingleFlight<Secret<Uint8Array> | undefined>();
  const makeOnce = createSingleFlight<DataKey>();

  function contextOf(connection: string, use: KeyUse): Record<string, string> {
    return { broker, connection, ...(use !== 'token' && { use }) };
  }

  async function make(connection: string, use: KeyUse): Promise<DataKey> {
    const { plaintext, encrypted } = await requests.generate(contextOf(connection, use)).catch(() => {
      throw unavailable('GenerateDataKey');
    });
    if (plaintext?.length !== KEY_BYTES || encrypted === undefined) throw unavailable('GenerateDataKey');
    return { plaintext: new Secret(plaintext), encrypted };
  }

  async function unwrap(
    connection: string,
    encrypted: Uint8Array,
    use: KeyUse,
  ): Promise<Secret<Uint8Array> | undefined> {
    const plaintext = await requests.decrypt(encrypted, contextOf(connection, use)).catch(() => {
      throw unavailable('Decrypt');
    });
    return plaintext?.length === KEY_BYTES ? new Secret(plaintext) : undefined;
  }

  return {
    async generate(connection, use = 'token') {
      const name = JSON.stringify([connection, use]);
      const kept = made.get(name);
      if (kept !== undefined) return kept;
      const { value, shared } = await makeOnce(name, () => make(connection, use));
      if (!shared) made.set(name, value);
      return value;
    },

    async decrypt(connection, encrypted, use = 'token') {
      // KMS cannot have made it, so it was tampered with. Sending it would look like an endless outage.
      if (encrypted.length < 1 || encrypted.length > LONGEST_ENCRYPTED_BYTES) return undefined;
      // Include the connection: else a key copied to another's item would be found here without KMS refusing it.
      const name = JSON.stringify([connection, use, Buffer.from(encrypted).toString('base64')]);
      const kept = opened.get(name);
      if (kept !== undefined) return kept;
      const { value, shared } = await openOnce(name, () => unwrap(connection, encrypted, use));
      if (value !== undefined && !shared) opened.set(name, value);
      return value;
    },
  };
}

// The SDK's error may hold the request, hence no cause.
function unavailable(operation: string): BrokerError {
  return new BrokerError('kms_unavailable', `The encryption keys cannot be reached or may not be used (${operation}).`);
}
