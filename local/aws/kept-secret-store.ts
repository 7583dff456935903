import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { deriveKey } from '../master-key.ts';
import { AwsError } from './aws-error.ts';

/** The versions of one secret, and their staging labels. */
export interface SecretState {
  readonly versions: Readonly<Record<string, { readonly value: string; readonly createdAt: number }>>;
  /** Version by label. */
  readonly labels: Readonly<Record<string, string>>;
  /** Counts the changes. */
  readonly revision: number;
}

/** Secrets that the broker's functions write: by name, each replaced only as it was read. */
export interface KeptSecretStore {
  /** Reads a secret; undefined if there is none of that name. */
  read(name: string): Promise<SecretState | undefined>;
  /** Replaces a secret unless another has changed it since; reports whether it did. */
  replace(name: string, seen: SecretState, next: SecretState): Promise<boolean>;
}

export const NOTHING_WRITTEN: SecretState = { versions: {}, labels: {}, revision: 0 };

/** Table of the secrets that the broker's functions write. */
export const KEPT_SECRETS_TABLE = 'token-broker-kept-secrets';

const REGION = 'us-east-1';
const ACCESS_KEY_ID = 'local';
const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Adds a version with its labels; the first is current from the start. Throws as AWS does for another value of its id. */
export function putVersion(
  seen: SecretState,
  { versionId, value, createdAt }: { versionId: string; value: string; createdAt: number },
  labels: readonly string[] = [CURRENT],
): SecretState {
  const existing = seen.versions[versionId];
  if (existing?.value === value) return seen;
  if (existing !== undefined)
    throw new AwsError(400, 'ResourceExistsException', 'A version with this id has another value.');
  const isFirst = Object.keys(seen.versions).length === 0;
  const all = isFirst ? [...labels, CURRENT] : labels;
  const added = { ...seen, versions: { ...seen.versions, [versionId]: { value, createdAt } } };
  return all.reduce((state, label) => withLabel(state, label, versionId), added);
}

/** Moves a label to a version. Throws as AWS does if the version that has it is not the one named. */
export function moveLabel(
  seen: SecretState,
  { label, to, from }: { label: string; to: string; from: string | undefined },
): SecretState {
  if (seen.versions[to] === undefined)
    throw new AwsError(400, 'ResourceNotFoundException', 'There is no such version.');
  const holder = seen.labels[label];
  if (holder !== undefined && holder !== to && holder !== from) {
    throw new AwsError(
      400,
      'InvalidParameterException',
      `Staging label ${label} is currently attached to version ${holder}, so RemoveFromVersionId must name it.`,
    );
  }
  return withLabel(seen, label, to);
}

/** Versions without a label are gone. */
function withLabel(state: SecretState, label: string, versionId: string): SecretState {
  const before = state.labels[label];
  const isReplaced = label === CURRENT && before !== undefined && before !== versionId;
  const labels = { ...state.labels, [label]: versionId, ...(isReplaced && { [PREVIOUS]: before }) };
  const named = new Set(Object.values(labels));
  const versions = Object.fromEntries(Object.entries(state.versions).filter(([id]) => named.has(id)));
  return { versions, labels, revision: state.revision + 1 };
}

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
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey };
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials });
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
      // Written by `replace`, and authentic.
      return sealed === undefined ? NOTHING_WRITTEN : (JSON.parse(decrypt(sealed, key, name)) as SecretState);
    },

    async replace(name, seen, next) {
      const command = new PutItemCommand({
        TableName: KEPT_SECRETS_TABLE,
        Item: {
          pk: { S: name },
          revision: { N: String(next.revision) },
          sealed: { B: encrypt(JSON.stringify(next), key, name) },
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

function encrypt(text: string, key: Buffer, name: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(sealed: Uint8Array, key: Buffer, name: string): string {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  return Buffer.concat([opened, decipher.final()]).toString('utf8');
}
