import { TokenBrokerError } from '../error.ts';

/** The fields of a secret by provider, as `mint` reads them. */
export const fieldsByProvider: Readonly<Record<string, readonly string[]>> = {
  helpmaster: ['apiKey'],
  'community-web-api': ['username', 'password'],
};

/** The name of a connection's secret where the stack made it and the broker has its default name. */
export function defaultSecretId(connection: string): string {
  return `token-broker/${connection}`;
}

/**
 * Says what is wrong with a secret's value, without a word of it; undefined where it will do. Refuses what the broker
 * would: a blank part, control characters, an unpaired surrogate, and a `|` in a user name (C4).
 */
export function faultOf(value: unknown, fields: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `It is not an object: ${shapeOf(fields)}.`;
  const unknown = Object.keys(value).filter((name) => !fields.includes(name));
  if (unknown.length > 0) return `It has ${unknown.length} member(s) beside ${shapeOf(fields)}.`;
  for (const field of fields) {
    const text: unknown = Reflect.get(value, field);
    if (typeof text !== 'string') return `"${field}" is missing, or is no string: ${shapeOf(fields)}.`;
    if (text.trim() === '') return `"${field}" is empty.`;
    if (/\p{Cc}/u.test(text)) return `"${field}" holds control characters, such as a newline at its end.`;
    if (!text.isWellFormed()) return `"${field}" holds a broken character (an unpaired surrogate).`;
    if (field === 'username' && text.includes('|')) return '"username" holds a |, which would mean another user (C4).';
  }
  return undefined;
}

/** How a secret's value looks. */
export function shapeOf(fields: readonly string[]): string {
  return `{${fields.map((field) => `"${field}":"…"`).join(',')}}`;
}

/** The codes of a secret that is not there or has no value, and of one that this identity may not touch. */
export const SECRET_NOT_FOUND = 'secret_not_found';
export const SECRET_ACCESS_DENIED = 'secret_access_denied';

/** What the CLI does with Secrets Manager. Both reject with a `TokenBrokerError` that quotes nothing of AWS's. */
export interface SecretStore {
  read(secretId: string): Promise<string>;
  write(secretId: string, value: string): Promise<void>;
}

/** Creates the secret store, by the AWS SDK, which is loaded only now. */
export async function createSecretStore(region: string): Promise<SecretStore> {
  const { SecretsManagerClient, GetSecretValueCommand, PutSecretValueCommand } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  const client = new SecretsManagerClient({ region, maxAttempts: 2 });
  return {
    async read(secretId) {
      const { SecretString } = await withSecretErrors(
        { secretId, needs: TO_READ },
        client.send(new GetSecretValueCommand({ SecretId: secretId })),
      );
      return SecretString ?? '';
    },
    async write(secretId, value) {
      await withSecretErrors(
        { secretId, needs: TO_WRITE },
        client.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: value })),
      );
    },
  };
}

/** One access to a secret, for messages. */
interface SecretAccess {
  readonly secretId: string;
  /** Permissions that the access needs. */
  readonly needs: string;
}

const TO_READ = "secretsmanager:GetSecretValue, and the key's kms:Decrypt where the secret has its own";
const TO_WRITE = "secretsmanager:PutSecretValue, and the key's kms:GenerateDataKey where the secret has its own";

async function withSecretErrors<T>(access: SecretAccess, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
    const status: unknown =
      typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
    throw secretError(access, name, typeof status === 'number' ? status : undefined);
  }
}

function secretError({ secretId, needs }: SecretAccess, name: string, status: number | undefined): TokenBrokerError {
  switch (name) {
    case 'ResourceNotFoundException':
      return new TokenBrokerError(
        'gateway',
        `There is no secret ${secretId} in this account and region, or it has no value yet. Name it with --secret-id, or --region.`,
        { code: SECRET_NOT_FOUND, status: 404 },
      );
    case 'AccessDeniedException':
      return new TokenBrokerError(
        'gateway',
        `Your identity may not do this with the secret ${secretId}. It needs ${needs}.`,
        { code: SECRET_ACCESS_DENIED, status: 403 },
      );
    case 'CredentialsProviderError':
      return new TokenBrokerError(
        'credentials',
        'There are no AWS credentials. Log in (`aws sso login`), or set AWS_PROFILE.',
      );
    default:
      return status === undefined
        ? new TokenBrokerError('network', 'Secrets Manager did not answer.')
        : new TokenBrokerError('gateway', `Secrets Manager answered ${status} (${name}).`, {
            code: 'secret_failed',
            status,
          });
  }
}
