import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { LOCAL_CREDENTIAL, LOCAL_REGION } from '../gateway/sigv4.ts';
import { deriveKey } from '../master-key.ts';
import { decrypt, encrypt } from './aes-gcm.ts';
import { NOTHING_WRITTEN, type SecretState } from './secret-state.ts';

/** Secrets that the broker's functions write: by name, each replaced only as it was read. */
export interface KeptSecretStore {
  /** Reads a secret; undefined if there is none of that name. */
  read(name: string): Promise<SecretState | undefined>;
  /** Replaces a secret unless another has changed it since; reports whether it did. */
  replace(name: string, seen: SecretState, next: SecretState): Promise<boolean>;
}

/** Table of the secrets that the broker's functions write. */
export const KEPT_SECRETS_TABLE = 'token-broker-kept-secrets';

/** Creates secrets in memory. */
export function createMemoryKeptSecrets(names: Iterable<string> = []): KeptSecretStore {
  const states = new Map<string, SecretState>([...names].map((name) => [name, NOTHING_WRITTEN]));
  return {
    read: async (name) => states.get(name),
    async replace(name, seen, next) {
      if (states.get(name)?.revision !== seen.revision) return false;
      states.set(name, next);
      return true;
    },
  };
}

/**
 * Creates secrets in a table of the local DynamoDB, which several processes may share and which outlives them as the
 * slots do. They are encrypted under a key of the master key's.
 */
export function createKeptSecretTable({
  endpoint,
  secretAccessKey,
  masterKey,
  names,
}: {
  readonly endpoint: string;
  readonly secretAccessKey: string;
  readonly masterKey: Buffer;
  readonly names: ReadonlySet<string>;
}): KeptSecretStore & { close(): Promise<void> } {
  const credentials = { accessKeyId: LOCAL_CREDENTIAL, secretAccessKey };
  const client = new DynamoDBClient({ endpoint, region: LOCAL_REGION, credentials });
  const key = deriveKey(masterKey, 'kept secrets');
  return {
    close: async () => client.destroy(),

    async read(name) {
      if (!names.has(name)) return undefined;
      const command = new GetItemCommand({
        TableName: KEPT_SECRETS_TABLE,
        Key: { pk: { S: name } },
        ConsistentRead: true,
      });
      const { Item } = await client.send(command);
      const sealed = Item?.['sealed']?.B;
      if (sealed === undefined) return NOTHING_WRITTEN;
      // Written by `replace`, and authentic.
      return JSON.parse(decrypt(key, sealed, Buffer.from(name)).toString('utf8')) as SecretState;
    },

    async replace(name, seen, next) {
      const command = new PutItemCommand({
        TableName: KEPT_SECRETS_TABLE,
        Item: {
          pk: { S: name },
          revision: { N: String(next.revision) },
          sealed: { B: encrypt(key, Buffer.from(JSON.stringify(next)), Buffer.from(name)) },
        },
        ConditionExpression: seen.revision === 0 ? 'attribute_not_exists(pk)' : 'revision = :seen',
        ...(seen.revision > 0 && { ExpressionAttributeValues: { ':seen': { N: String(seen.revision) } } }),
      });
      try {
        await client.send(command);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
