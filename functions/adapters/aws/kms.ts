import {
  DecryptCommand,
  GenerateDataKeyCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSClient,
} from '@aws-sdk/client-kms';
import { awsClientConfig, type Environment, trimClient } from './client.ts';

/** The broker's requests to KMS. Nothing but the SDK is imported here, so that it is loaded on demand as one file. */
export interface KmsRequests {
  /** Makes a data key: itself, and as KMS encrypted it. */
  generate(context: EncryptionContext): Promise<{ readonly plaintext?: Uint8Array; readonly encrypted?: Uint8Array }>;
  /** Decrypts a data key. Gives undefined where KMS refuses it: another key made it, or for another context. */
  decrypt(encrypted: Uint8Array, context: EncryptionContext): Promise<Uint8Array | undefined>;
}

type EncryptionContext = Record<string, string>;

/** Creates the KMS client; one an instance, since it keeps its connections. */
export function createKmsClient(environment: Environment = process.env): KMSClient {
  return trimClient(new KMSClient(awsClientConfig({ service: 'KMS' }, environment)));
}

/** Creates the requests under the KMS key `keyId` (id, ARN or alias). They throw the SDK's errors. */
export function createKmsRequests({
  client,
  keyId: KeyId,
}: {
  readonly client: KMSClient;
  readonly keyId: string;
}): KmsRequests {
  return {
    async generate(EncryptionContext) {
      const command = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext });
      const { Plaintext, CiphertextBlob } = await client.send(command);
      return { ...(Plaintext && { plaintext: Plaintext }), ...(CiphertextBlob && { encrypted: CiphertextBlob }) };
    },

    async decrypt(CiphertextBlob, EncryptionContext) {
      try {
        return (await client.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext }))).Plaintext;
      } catch (error) {
        if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException) return undefined;
        throw error;
      }
    },
  };
}
