import { createHmac, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { decrypt as decryptBytes, encrypt, OVERHEAD_BYTES } from './aes-gcm.ts';
import { AwsError, invalidRequest, unknownOperation } from './aws-error.ts';

/** Alias of the one key, the only name it is known by. */
export const KEY_ALIAS = 'alias/token-broker';

/** The symmetric key of the loopback KMS. */
export interface LocalKmsKey {
  /** Answers one KMS operation; throws `AwsError` as KMS does. */
  answer(operation: string, input: unknown): object;
}

const KEY_BYTES = 32;
const KEY_MARKER_BYTES = 16;
const BLOB_VERSION = Buffer.from([0x01]);
const HEADER_BYTES = BLOB_VERSION.length + KEY_MARKER_BYTES;
const ARN_PREFIX = 'arn:aws:kms:us-east-1:000000000000:key/';

const encryptionContext = z.record(z.string(), z.string()).optional();
const generateDataKeyInput = z.object({
  KeyId: z.string(),
  KeySpec: z.literal('AES_256'),
  EncryptionContext: encryptionContext,
});
const decryptInput = z.object({
  CiphertextBlob: z.base64(),
  KeyId: z.string().optional(),
  EncryptionContext: encryptionContext,
});

/**
 * Creates a KMS key that wraps by AES-256-GCM under `masterKey`, with the encryption context as associated data.
 *
 * A wrapped blob is a version byte, 16 bytes that name the key, nonce, ciphertext, tag. Another context or a changed
 * blob is `InvalidCiphertextException`; another key's blob too, or `IncorrectKeyException` where the caller named ours.
 */
export function createLocalKmsKey(masterKey: Buffer): LocalKmsKey {
  // Derived from the key without revealing it, so that a restart with the same key keeps the id.
  const marker = createHmac('sha256', masterKey).update('key id').digest().subarray(0, KEY_MARKER_BYTES);
  const arn = `${ARN_PREFIX}${asUuid(marker)}`;

  function requireKnownKey(name: string): void {
    if (name === KEY_ALIAS) return;
    throw new AwsError(400, 'NotFoundException', `Alias is not found; this local endpoint has ${KEY_ALIAS} alone`);
  }

  function wrap(plaintext: Buffer, context: EncryptionContext): Buffer {
    const header = Buffer.concat([BLOB_VERSION, marker]);
    return Buffer.concat([header, encrypt(masterKey, plaintext, associatedData(header, context))]);
  }

  function unwrap(blob: Buffer, context: EncryptionContext): Buffer {
    const header = blob.subarray(0, HEADER_BYTES);
    try {
      return decryptBytes(masterKey, blob.subarray(HEADER_BYTES), associatedData(header, context));
    } catch {
      throw invalidCiphertext();
    }
  }

  function generateDataKey(input: unknown): object {
    const parsed = generateDataKeyInput.safeParse(input);
    if (!parsed.success)
      throw invalidRequest('KeyId and KeySpec AES_256 are required; or the context has the wrong form');
    const { KeyId, EncryptionContext } = parsed.data;
    requireKnownKey(KeyId);
    const plaintext = randomBytes(KEY_BYTES);
    return {
      KeyId: arn,
      Plaintext: plaintext.toString('base64'),
      CiphertextBlob: wrap(plaintext, EncryptionContext).toString('base64'),
    };
  }

  function decrypt(input: unknown): object {
    const parsed = decryptInput.safeParse(input);
    if (!parsed.success) throw invalidRequest('CiphertextBlob is required; it or the context has the wrong form');
    const { KeyId, CiphertextBlob, EncryptionContext } = parsed.data;
    if (KeyId !== undefined) requireKnownKey(KeyId);
    const blob = Buffer.from(CiphertextBlob, 'base64');
    if (blob.length < HEADER_BYTES + OVERHEAD_BYTES || blob[0] !== BLOB_VERSION[0]) throw invalidCiphertext();
    if (!blob.subarray(BLOB_VERSION.length, HEADER_BYTES).equals(marker)) {
      throw KeyId === undefined ? invalidCiphertext() : incorrectKey();
    }
    return {
      KeyId: arn,
      Plaintext: unwrap(blob, EncryptionContext).toString('base64'),
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  }

  return {
    answer(operation, input) {
      switch (operation) {
        case 'GenerateDataKey':
          return generateDataKey(input);
        case 'Decrypt':
          return decrypt(input);
        default:
          throw unknownOperation();
      }
    },
  };
}

type EncryptionContext = Readonly<Record<string, string>> | undefined;

// Sorted, so that the order of the context does not matter; JSON keeps ("a","bc") apart from ("ab","c").
function associatedData(header: Buffer, context: EncryptionContext): Buffer {
  const entries = Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([header, Buffer.from(JSON.stringify(entries))]);
}

function asUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function invalidCiphertext(): AwsError {
  return new AwsError(400, 'InvalidCiphertextException', 'the ciphertext or its encryption context is not valid');
}

function incorrectKey(): AwsError {
  return new AwsError(400, 'IncorrectKeyException', 'the ciphertext was made with another key');
}
