import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SecretSource } from '../secret-source.ts';
import { AwsError, invalidRequest, unknownOperation } from './aws-error.ts';
import type { KeptSecretStore } from './kept-secret-store.ts';
import type { OperatorSecrets } from './operator-secrets.ts';
import { moveLabel, NOTHING_WRITTEN, putVersion, removeLabel, type SecretState } from './secret-state.ts';

const CURRENT_STAGE = 'AWSCURRENT';
const ARN_SHAPE = /^arn:aws:secretsmanager:[^:]+:[^:]+:secret:(.+)$/;
const RANDOM_SUFFIX = /-[A-Za-z0-9]{6}$/;
/** Most rounds to change a secret that others change too. */
const ROUNDS = 20;

const secretIdInput = z.object({ SecretId: z.string().min(1) });
const getSecretValueInput = z.object({
  SecretId: z.string().min(1),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const putSecretValueInput = z.object({
  SecretId: z.string().min(1),
  ClientRequestToken: z.string().min(32).max(64),
  SecretString: z.string().max(65_536),
  VersionStages: z.array(z.string()).min(1).optional(),
});
const updateStageInput = z.object({
  SecretId: z.string().min(1),
  VersionStage: z.string(),
  MoveToVersionId: z.string().optional(),
  RemoveFromVersionId: z.string().optional(),
});

/** The secrets of the loopback Secrets Manager. */
export interface LoopbackSecrets {
  /** The operator's, which nobody writes here without `operators`. */
  readonly secrets: SecretSource;
  /** The same with their candidates. */
  readonly operators?: OperatorSecrets | undefined;
  /** The broker's own, which its functions write. */
  readonly kept: KeptSecretStore;
}

/**
 * Answers the Secrets Manager operations that the broker uses.
 *
 * Finds a secret by its name or its ARN, with or without the six characters that AWS puts behind the name.
 * @throws AwsError `ResourceNotFoundException`, worded as AWS does, for a missing secret and for one without a value
 */
export async function answerSecretsManager(operation: string, input: unknown, from: LoopbackSecrets): Promise<object> {
  switch (operation) {
    case 'GetSecretValue':
      return getSecretValue(input, from);
    case 'DescribeSecret':
      return describeSecret(input, from);
    case 'PutSecretValue': {
      const { SecretId, ClientRequestToken, SecretString, VersionStages } = parse(putSecretValueInput, input);
      const { name } = await find(SecretId, from);
      if (from.operators !== undefined && from.secrets.current(name) !== undefined) {
        const { versionId, put } = await from.operators.propose(name, SecretString, VersionStages);
        const { identity, state } = await change(SecretId, from, put);
        return { ...identity, VersionId: versionId, VersionStages: labelsOf(state, versionId) };
      }
      const version = { versionId: ClientRequestToken, value: SecretString, createdAt: Date.now() };
      const { identity, state } = await change(SecretId, from, (seen) => putVersion(seen, version, VersionStages));
      return { ...identity, VersionId: ClientRequestToken, VersionStages: labelsOf(state, ClientRequestToken) };
    }
    case 'UpdateSecretVersionStage': {
      const { SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId } = parse(updateStageInput, input);
      const [label, to] = [VersionStage, MoveToVersionId];
      const next = (seen: SecretState) =>
        to === undefined
          ? removeLabel(seen, { label, from: RemoveFromVersionId })
          : moveLabel(seen, { label, to, from: RemoveFromVersionId });
      return (await change(SecretId, from, next)).identity;
    }
    default:
      throw unknownOperation();
  }
}

function parse<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw invalidRequest('SecretId is required, and all else as AWS takes it');
  return parsed.data;
}

async function getSecretValue(input: unknown, from: LoopbackSecrets): Promise<object> {
  const { SecretId, VersionId, VersionStage } = parse(getSecretValueInput, input);
  const { identity, state } = await find(SecretId, from);
  const label = VersionStage ?? (VersionId === undefined ? CURRENT_STAGE : undefined);
  const versionId = VersionId ?? state.labels[label ?? ''] ?? '';
  if (VersionId !== undefined && state.versions[VersionId] === undefined)
    throw noSuchVersion(`VersionId: ${VersionId}`);
  const version = state.versions[versionId];
  if (version === undefined || (label !== undefined && state.labels[label] !== versionId))
    throw noSuchVersion(`staging label: ${label}`);
  return {
    ...identity,
    VersionId: versionId,
    VersionStages: labelsOf(state, versionId),
    SecretString: version.value,
    CreatedDate: version.createdAt / 1000,
  };
}

async function describeSecret(input: unknown, from: LoopbackSecrets): Promise<object> {
  const { identity, state } = await find(parse(secretIdInput, input).SecretId, from);
  const versions = Object.entries(state.versions);
  if (versions.length === 0) return identity;
  return {
    ...identity,
    LastChangedDate: Math.max(...versions.map(([, { createdAt }]) => createdAt)) / 1000,
    VersionIdsToStages: Object.fromEntries(versions.map(([id]) => [id, labelsOf(state, id)])),
  };
}

interface Found {
  readonly name: string;
  readonly identity: { readonly ARN: string; readonly Name: string };
  readonly state: SecretState;
}

async function find(secretId: string, { secrets, operators, kept }: LoopbackSecrets): Promise<Found> {
  const nameInArn = ARN_SHAPE.exec(secretId)?.[1];
  // The whole id comes first, because an operator may have configured the ARN as the name.
  const candidates = nameInArn === undefined ? [secretId] : [secretId, nameInArn, nameInArn.replace(RANDOM_SUFFIX, '')];
  for (const name of candidates) {
    const secret = secrets.current(name);
    const state = secret === undefined ? await kept.read(name) : ((await operators?.read(name)) ?? stateOf(secret));
    if (state !== undefined) return { name, identity: identify(name, secretId), state };
  }
  throw new AwsError(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

function stateOf(secret: NonNullable<ReturnType<SecretSource['current']>>): SecretState {
  if (secret === 'empty') return NOTHING_WRITTEN;
  const { versionId, value, createdAt } = secret;
  return { versions: { [versionId]: { value, createdAt } }, labels: { [CURRENT_STAGE]: versionId }, revision: 0 };
}

/** Changes one of the broker's own secrets, or of the operator's with a candidate, as often as others come between. */
async function change(
  secretId: string,
  from: LoopbackSecrets,
  next: (seen: SecretState) => SecretState,
): Promise<Found> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await find(secretId, from);
    const isOperators = from.secrets.current(found.name) !== undefined;
    const store = isOperators ? from.operators : from.kept;
    if (store === undefined)
      throw new AwsError(400, 'AccessDeniedException', "the broker does not write the operator's secrets");
    const state = next(found.state);
    if (state === found.state || (await store.replace(found.name, found.state, state))) return { ...found, state };
  }
  throw new AwsError(500, 'InternalServiceError', 'others changed the secret each time');
}

function labelsOf({ labels }: SecretState, versionId: string): string[] {
  return Object.entries(labels).flatMap(([label, id]) => (id === versionId ? [label] : []));
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
