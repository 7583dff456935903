import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Secret, SecretSource } from '../secret-source.ts';
import { AwsError, invalidRequest, unknownOperation } from './aws-error.ts';

const CURRENT_STAGE = 'AWSCURRENT';
const ARN_SHAPE = /^arn:aws:secretsmanager:[^:]+:[^:]+:secret:(.+)$/;
const RANDOM_SUFFIX = /-[A-Za-z0-9]{6}$/;

const secretIdInput = z.object({ SecretId: z.string().min(1) });
const getSecretValueInput = z.object({
  SecretId: z.string().min(1),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});

/**
 * Answers the Secrets Manager operations that the broker uses, from `secrets`.
 *
 * Finds a secret by its name or its ARN, with or without the six characters that AWS puts behind the name.
 * @throws AwsError `ResourceNotFoundException`, worded as AWS does, for a missing secret and for one without a value
 */
export function answerSecretsManager(operation: string, input: unknown, secrets: SecretSource): object {
  switch (operation) {
    case 'GetSecretValue':
      return getSecretValue(input, secrets);
    case 'DescribeSecret':
      return describeSecret(input, secrets);
    default:
      throw unknownOperation();
  }
}

function getSecretValue(input: unknown, secrets: SecretSource): object {
  const parsed = getSecretValueInput.safeParse(input);
  if (!parsed.success) throw invalidRequest('SecretId is required');
  const { SecretId, VersionId, VersionStage } = parsed.data;

  const { identity, secret } = find(SecretId, secrets);
  if (secret === 'empty') throw noSuchVersion(`staging label: ${CURRENT_STAGE}`);
  if (VersionId !== undefined && VersionId !== secret.versionId) throw noSuchVersion(`VersionId: ${VersionId}`);
  if (VersionStage !== undefined && VersionStage !== CURRENT_STAGE) {
    throw noSuchVersion(`staging label: ${VersionStage}`);
  }
  return {
    ...identity,
    VersionId: secret.versionId,
    VersionStages: [CURRENT_STAGE],
    SecretString: secret.value,
    CreatedDate: secret.createdAt / 1000,
  };
}

function describeSecret(input: unknown, secrets: SecretSource): object {
  const parsed = secretIdInput.safeParse(input);
  if (!parsed.success) throw invalidRequest('SecretId is required');
  const { identity, secret } = find(parsed.data.SecretId, secrets);
  if (secret === 'empty') return identity;
  return {
    ...identity,
    LastChangedDate: secret.createdAt / 1000,
    VersionIdsToStages: { [secret.versionId]: [CURRENT_STAGE] },
  };
}

interface Found {
  readonly identity: { readonly ARN: string; readonly Name: string };
  readonly secret: Secret | 'empty';
}

function find(secretId: string, secrets: SecretSource): Found {
  const nameInArn = ARN_SHAPE.exec(secretId)?.[1];
  // The whole id comes first, because an operator may have configured the ARN as the name.
  const candidates = nameInArn === undefined ? [secretId] : [secretId, nameInArn, nameInArn.replace(RANDOM_SUFFIX, '')];
  for (const name of candidates) {
    const secret = secrets.current(name);
    if (secret !== undefined) return { identity: identify(name, secretId), secret };
  }
  throw new AwsError(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

function identify(name: string, secretId: string): Found['identity'] {
  if (name === secretId && ARN_SHAPE.test(secretId)) {
    const nameInArn = ARN_SHAPE.exec(secretId)?.[1] ?? secretId;
    return { ARN: secretId, Name: nameInArn.replace(RANDOM_SUFFIX, '') };
  }
  const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return { ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}-${suffix}`, Name: name };
}

function noSuchVersion(which: string): AwsError {
  return new AwsError(
    400,
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${which}`,
  );
}
