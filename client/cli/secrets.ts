import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SecretField } from '../broker-api.ts';
import { type Endpoint, LOCAL_REGION } from '../endpoint.ts';
import { LOCAL_CREDENTIALS } from '../signing.ts';
import { withAwsErrors } from './aws-error.ts';

/** Builds the name of a secret that the stack made for a broker of the default name, where the broker does not tell it. */
export function defaultSecretId(connection: string): string {
  return `token-broker/${connection}`;
}

/**
 * Describes the fault of a secret's value, without quoting it; undefined if it is valid. Refuses what the broker would:
 * a blank field, control characters, an unpaired surrogate, a missing PEM, and a text that would change the login, such
 * as a `|` in a user name (C4), and a private key that does not fit its algorithm. Further members are allowed, as in a
 * key file.
 */
export function faultOf(value: unknown, fields: readonly SecretField[]): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `It is not an object: ${shapeOf(fields)}.`;
  for (const { name, kind, required, without, key } of fields) {
    const text: unknown = Reflect.get(value, name);
    if (text === undefined && !required) continue;
    if (typeof text !== 'string') return `"${name}" is missing, or is no string: ${shapeOf(fields)}.`;
    if (text.trim() === '') return `"${name}" is empty.`;
    if (kind === 'pem') {
      if (!/-----BEGIN .*-----END /s.test(text)) return `"${name}" holds no PEM, from -----BEGIN to -----END.`;
      const fault = key && faultOfKey(text, key);
      if (fault !== undefined) return `"${name}" ${fault}`;
      continue;
    }
    if (/\p{Cc}/u.test(text)) return `"${name}" holds control characters, such as a newline at its end.`;
    if (!text.isWellFormed()) return `"${name}" holds a broken character (an unpaired surrogate).`;
    if (without !== undefined && text.includes(without))
      return `"${name}" holds ${without}, which would change what the login means.`;
  }
  return undefined;
}

/** Marks of a text that something was copied along with, mostly by mistake: the same as in the broker. */
const COPIED_ALONG = [
  [/^\s|\s$/u, 'begins or ends with a blank'],
  [/^(["'`]).*\1$|^[“”„‘’‚«»‹›].*[“”‘’«»‹›]$/su, 'stands in quotation marks'],
  [/[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}/u, 'holds a character that cannot be seen'],
] as const;

/** Describes what a server may misread in a valid secret, without quoting it; undefined if there is nothing. */
export function suspectIn(value: unknown, fields: readonly SecretField[]): string | undefined {
  const found = fields.flatMap(({ name, kind, suspect }) => {
    const text: unknown = Reflect.get(Object(value), name);
    if (typeof text !== 'string' || kind === 'pem') return [];
    const marks = COPIED_ALONG.flatMap(([pattern, words]) => (pattern.test(text) ? [`"${name}" ${words}`] : []));
    return suspect !== undefined && text.includes(suspect) ? [`"${name}" holds "${suspect}"`, ...marks] : marks;
  });
  return found.length === 0 ? undefined : `${found.join(', ')}. It is sent as it is, and some servers cut it there.`;
}

/** Describes why a private key in PEM cannot sign by its algorithm, to follow the name of its field. */
function faultOfKey(
  pem: string,
  { algorithm, type, curve, bits, words }: NonNullable<SecretField['key']>,
): string | undefined {
  if (pem.includes('ENCRYPTED')) return 'holds a private key that is encrypted: put it there without a passphrase.';
  const key = readPrivateKey(pem);
  if (key === undefined) return 'holds no private key.';
  const { asymmetricKeyType, asymmetricKeyDetails: { namedCurve, modulusLength = 0 } = {} } = key;
  if (asymmetricKeyType !== type || namedCurve !== curve) {
    return `holds a key that does not fit ${algorithm}, which takes ${words}.`;
  }
  if (bits === undefined || modulusLength >= bits) return undefined;
  return `holds an RSA key of ${modulusLength} bits, and ${algorithm} takes ${bits} or more.`;
}

const DER_TYPES = { 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1' } as const;

/** Reads a private key, however the line breaks of its PEM were lost on the way into the JSON, as the broker does. */
function readPrivateKey(pem: string): KeyObject | undefined {
  for (const [label, type] of Object.entries(DER_TYPES)) {
    const [, body] = pem.split(`-----BEGIN ${label}-----`);
    const [base64 = '', ...end] = body?.split(`-----END ${label}-----`) ?? [];
    if (end.length === 0) continue;
    try {
      return createPrivateKey({ key: Buffer.from(base64.replace(/\\[rn]/g, ''), 'base64'), format: 'der', type });
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Describes the JSON of a secret's value. */
export function shapeOf(fields: readonly SecretField[]): string {
  return `{${fields.map(({ name }) => `"${name}":"…"`).join(',')}}`;
}

/** Codes for a secret that is missing or empty, and for one that this identity may not access. */
export const SECRET_NOT_FOUND = 'secret_not_found';
export const SECRET_ACCESS_DENIED = 'secret_access_denied';

/** The label of a version that the broker tries before it becomes current. */
const CANDIDATE_STAGE = 'TOKENBROKER_CANDIDATE';
const CURRENT_STAGE = 'AWSCURRENT';

/** Secrets Manager, as the CLI uses it. Every method rejects with a `TokenBrokerError` that quotes nothing of AWS's. */
export interface SecretStore {
  read(secretId: string): Promise<string>;
  write(secretId: string, value: string): Promise<void>;
  /** Writes a version that becomes current once the broker has tried it; the first one is so at once. */
  propose(secretId: string, value: string): Promise<{ readonly versionId: string; readonly isCurrent: boolean }>;
  isCurrent(secretId: string, versionId: string): Promise<boolean>;
}

/** Creates the secret store. Loads the AWS SDK only here, since most commands do not need it. */
export async function createSecretStore({ region, base, isLoopback }: Endpoint): Promise<SecretStore> {
  const { SecretsManagerClient, DescribeSecretCommand, GetSecretValueCommand, PutSecretValueCommand } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  // `npm start` takes candidates where its API is.
  const local = { endpoint: new URL(base).origin, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
  const client = new SecretsManagerClient({ maxAttempts: 2, ...(isLoopback ? local : { region }) });

  async function isCurrent(secretId: string, versionId: string): Promise<boolean> {
    const { VersionIdsToStages = {} } = await withSecretErrors(
      { secretId, needs: TO_DESCRIBE },
      client.send(new DescribeSecretCommand({ SecretId: secretId })),
    );
    return VersionIdsToStages[versionId]?.includes(CURRENT_STAGE) === true;
  }

  return {
    async read(secretId) {
      const { SecretString, SecretBinary = new Uint8Array() } = await withSecretErrors(
        { secretId, needs: TO_READ },
        client.send(new GetSecretValueCommand({ SecretId: secretId })),
      );
      // As the broker reads it: bytes are UTF-8.
      return SecretString ?? Buffer.from(SecretBinary).toString('utf8');
    },
    async write(secretId, value) {
      await withSecretErrors(
        { secretId, needs: TO_WRITE },
        client.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: value })),
      );
    },
    async propose(secretId, value) {
      const candidate = { SecretId: secretId, SecretString: value, VersionStages: [CANDIDATE_STAGE] };
      const { VersionId = '', VersionStages = [] } = await withSecretErrors(
        { secretId, needs: TO_WRITE },
        client.send(new PutSecretValueCommand(candidate)),
      );
      // The answer may name the labels that were asked for alone.
      if (VersionStages.includes(CURRENT_STAGE)) return { versionId: VersionId, isCurrent: true };
      return { versionId: VersionId, isCurrent: await isCurrent(secretId, VersionId).catch(() => false) };
    },
    isCurrent,
  };
}

/** One access to a secret, for messages. */
interface SecretAccess {
  readonly secretId: string;
  /** Permissions that the access needs. */
  readonly needs: string;
}

const TO_READ =
  "secretsmanager:GetSecretValue, and the key's kms:Decrypt where the secret has its own; one that the broker's stack made is closed to all but its mint function";
const TO_DESCRIBE = 'secretsmanager:DescribeSecret';
const TO_WRITE = "secretsmanager:PutSecretValue, and the key's kms:GenerateDataKey where the secret has its own";

function withSecretErrors<T>({ secretId, needs }: SecretAccess, work: Promise<T>): Promise<T> {
  const known = {
    ResourceNotFoundException: {
      status: 404,
      code: SECRET_NOT_FOUND,
      detail: `There is no secret ${secretId} in this account and region, or it has no value yet. Name it with --secret-id, or --region.`,
    },
    AccessDeniedException: {
      status: 403,
      code: SECRET_ACCESS_DENIED,
      detail: `Your identity may not do this with the secret ${secretId}. It needs ${needs}.`,
    },
  };
  return withAwsErrors({ service: 'Secrets Manager', code: 'secret_failed', known }, work);
}
