import {
  DecryptCommand,
  GenerateDataKeyCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSClient,
} from '@aws-sdk/client-kms';
import type { Keys, KeyUse } from '../../core/slot/keys.ts';
import type { Slot } from '../../core/slot/slot.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import { createSingleFlight } from '../../core/words/single-flight.ts';
import { awsClientConfig, type Environment } from './client.ts';
import { createKeyCache } from './key-cache.ts';

const KEY_BYTES = 32;
/** Longest ciphertext that KMS accepts, in bytes. It reports a longer one just as it does the broker's own mistakes. */
const LONGEST_ENCRYPTED_BYTES = 6_144;
const CACHED_KEYS = 1_000;
const CACHED_FOR_MS = 5 * 60_000;

/** Creates the KMS client; one an instance, since it keeps its connections. */
export function createKmsClient(environment: Environment = process.env): KMSClient {
  return new KMSClient(awsClientConfig({ service: 'KMS' }, environment));
}

/**
 * Creates the data keys of `broker`, AES-256, under the KMS key `keyId` (id, ARN or alias).
 *
 * Decrypted keys are kept for five minutes, at most 1,000; decrypts of the same key that overlap are one request.
 */
export function createKmsKeys({
  client,
  keyId,
  broker,
  clock,
}: {
  readonly client: KMSClient;
  readonly keyId: string;
  readonly broker: string;
  readonly clock: Clock;
}): Keys {
  const cache = createKeyCache<Secret<Uint8Array>>({
    maxEntries: CACHED_KEYS,
    maxAgeMs: CACHED_FOR_MS,
    now: () => clock.now(),
  });
  const once = createSingleFlight<Secret<Uint8Array> | undefined>();

  function contextOf({ connection, subject }: Slot, use: KeyUse): Record<string, string> {
    return { broker, connection, subject, ...(use !== 'token' && { use }) };
  }

  async function unwrap(slot: Slot, encrypted: Uint8Array, use: KeyUse): Promise<Secret<Uint8Array> | undefined> {
    const command = new DecryptCommand({
      KeyId: keyId,
      CiphertextBlob: encrypted,
      EncryptionContext: contextOf(slot, use),
    });
    try {
      const { Plaintext } = await client.send(command);
      return Plaintext?.length === KEY_BYTES ? new Secret(Plaintext) : undefined;
    } catch (error) {
      if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException) return undefined;
      throw unavailable('Decrypt');
    }
  }

  return {
    async generate(slot, use = 'token') {
      const command = new GenerateDataKeyCommand({
        KeyId: keyId,
        KeySpec: 'AES_256',
        EncryptionContext: contextOf(slot, use),
      });
      const { Plaintext, CiphertextBlob } = await client.send(command).catch(() => {
        throw unavailable('GenerateDataKey');
      });
      if (Plaintext?.length !== KEY_BYTES || CiphertextBlob === undefined) throw unavailable('GenerateDataKey');
      return { plaintext: new Secret(Plaintext), encrypted: CiphertextBlob };
    },

    async decrypt(slot, encrypted, use = 'token') {
      // KMS cannot have made it, so it was tampered with. Sending it would look like an endless outage.
      if (encrypted.length < 1 || encrypted.length > LONGEST_ENCRYPTED_BYTES) return undefined;
      // Include the slot: else a key copied to another slot's item would be found here without KMS refusing it.
      const name = JSON.stringify([slot.connection, slot.subject, use, Buffer.from(encrypted).toString('base64')]);
      const kept = cache.get(name);
      if (kept !== undefined) return kept;
      const { value, shared } = await once(name, () => unwrap(slot, encrypted, use));
      if (value !== undefined && !shared) cache.set(name, value);
      return value;
    },
  };
}

// The SDK's error may hold the request, hence no cause.
function unavailable(operation: string): BrokerError {
  return new BrokerError('kms_unavailable', `The encryption keys cannot be reached or may not be used (${operation}).`);
}
