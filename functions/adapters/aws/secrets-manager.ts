import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  ResourceNotFoundException,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import type { Secrets, SecretVersion } from '../../core/mint/secrets.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import { awsClientConfig, type Environment, trimClient } from './client.ts';

const KEPT_FOR_MS = 60_000;
/** The label of the version that is in force. */
export const CURRENT_STAGE = 'AWSCURRENT';
const NAME_IN_ARN = /^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?$/;

/** Creates the Secrets Manager client; one an instance, since it keeps its connections. */
export function createSecretsManagerClient(environment: Environment = process.env): SecretsManagerClient {
  return trimClient(new SecretsManagerClient(awsClientConfig({ service: 'SECRETS_MANAGER' }, environment)));
}

/** A reading of a secret, by when it was asked for: what it says may have changed at any time after. */
interface Reading<Content> {
  readonly askedAt: number;
  readonly content: Content;
}

/**
 * Creates the reader of secrets. A copy is kept for at most a minute and serves as `Secrets` says; requests that
 * overlap share one reading, if it is young enough for each.
 */
export function createSecretsManagerSecrets({
  client,
  clock,
}: {
  readonly client: SecretsManagerClient;
  readonly clock: Clock;
}): Secrets {
  const kept = new Map<string, Reading<SecretVersion>>();
  const underWay = new Map<string, Reading<Promise<SecretVersion>>>();

  function begin(secret: string): Promise<SecretVersion> {
    const reading = { askedAt: clock.now(), content: fetchCurrent(client, secret) };
    underWay.set(secret, reading);
    return reading.content
      .then((content) => {
        const isLatest = (kept.get(secret)?.askedAt ?? 0) <= reading.askedAt;
        // An earlier reading that ends later must not replace a newer one.
        if (isLatest) kept.set(secret, { askedAt: reading.askedAt, content });
        return content;
      })
      .finally(() => {
        if (underWay.get(secret) === reading) underWay.delete(secret);
      });
  }

  return {
    async current({ secret, maxAgeMs, knownVersion }) {
      const now = clock.now();
      const isYoung = ({ askedAt }: Reading<unknown>): boolean => isWithin(now - askedAt, maxAgeMs);

      const copy = kept.get(secret);
      if (copy !== undefined) {
        const isKnown = copy.content.versionId === knownVersion;
        const age = now - copy.askedAt;
        if (age <= KEPT_FOR_MS && (isYoung(copy) || (isKnown && age >= 0))) return copy.content;
      }
      const current = underWay.get(secret);
      return current !== undefined && isYoung(current) ? current.content : begin(secret);
    },
  };
}

// A clock that went back says nothing of a copy's age.
function isWithin(age: number, limitMs: number): boolean {
  return age >= 0 && age < limitMs;
}

async function fetchCurrent(client: SecretsManagerClient, secret: string): Promise<SecretVersion> {
  const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: CURRENT_STAGE });
  const found = await client.send(command).catch((error: unknown) => {
    throw explainUnavailable(error, secret);
  });
  const text = readText(found);
  if (text.trim() === '') throw hasNoValue(secret);
  if (found.VersionId === undefined) throw unavailable('Secrets Manager gave a secret without naming its version.');
  return { versionId: found.VersionId, value: new Secret(text) };
}

/** Reads a version's text, which may have been put as bytes (`--secret-binary`): they are UTF-8. Empty without a value. */
export function readText({
  SecretString,
  SecretBinary = new Uint8Array(),
}: Pick<GetSecretValueCommandOutput, 'SecretString' | 'SecretBinary'>): string {
  return SecretString ?? Buffer.from(SecretBinary).toString('utf8');
}

/** Converts an error of Secrets Manager. Its messages hold ARNs, hence our own words and no cause. */
export function explainUnavailable(error: unknown, secret: string): BrokerError {
  if (error instanceof ResourceNotFoundException) return hasNoValue(secret);
  const name = error instanceof SecretsManagerServiceException ? error.name : '';
  if (name === 'AccessDeniedException' || name === 'DecryptionFailure') {
    return unavailable(
      `The broker may not read the secret ${nameOf(secret)}, or may not use the key that encrypts it.`,
    );
  }
  if (name === 'InvalidRequestException') {
    return unavailable(`The secret ${nameOf(secret)} cannot be read: it may be marked for deletion.`);
  }
  return unavailable('Secrets Manager cannot be reached or is throttling; try again.');
}

function hasNoValue(secret: string): BrokerError {
  const name = nameOf(secret);
  return unavailable(
    `The secret ${name} does not exist or has no value. Put one into a file and set it: ` +
      `aws secretsmanager put-secret-value --secret-id ${name} --secret-string file://secret.json; ` +
      `where there is no such secret: aws secretsmanager create-secret --name ${name} --secret-string file://secret.json`,
  );
}

function unavailable(detail: string): BrokerError {
  return new BrokerError('secret_unavailable', detail);
}

/** The name of a secret that is given by name or by ARN; an ARN ends in six characters that are not of the name. */
export function nameOf(secret: string): string {
  return NAME_IN_ARN.exec(secret)?.[1] ?? secret;
}
