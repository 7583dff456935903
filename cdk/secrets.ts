import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { CfnResourcePolicy, CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { type Connection, fingerprintOf } from '../functions/core/slot/connection.ts';
import { DEFAULT_BROKER_NAME, isSecretArn } from './names.ts';

/**
 * The configuration as this broker deploys it: the secrets that the stack makes are named `<broker>/<connection>`, so
 * that two brokers can share an account. The name is settled at synth because it is part of every slot's fingerprint,
 * which an ARN known only at deploy could not be.
 */
export function nameSecrets(configuration: Configuration, broker: string): Configuration {
  if (broker === DEFAULT_BROKER_NAME) return configuration;
  const connections: Record<string, Connection> = Object.create(null);
  for (const [name, connection] of Object.entries(configuration.connections)) {
    const secret = configuration.madeSecrets.includes(name) ? `${broker}/${name}` : connection.secret;
    const kept = connection.keptSecret === undefined ? {} : { keptSecret: `${broker}/${name}/kept` };
    connections[name] = { ...connection, ...kept, secret, fingerprint: fingerprintOf({ ...connection, secret }) };
  }
  return { ...configuration, connections };
}

/**
 * Makes the empty secret of a connection that names none. It has no value and no generated password, so nothing of a
 * credential is ever in a template. It stays when the stack goes.
 */
export function makeSecret(scope: Construct, connection: Connection): CfnSecret {
  // The construct library's own `Secret` always has a value generated.
  const secret = new CfnSecret(scope, `Secret-${connection.name}`, {
    name: connection.secret,
    description: `Credential of the connection ${connection.name}: set by an operator, read by its mint function alone.`,
  });
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason:
      'The upstreams have no call that changes a credential: their administrator changes it, and the operator puts it here.',
  });
  return secret;
}

/**
 * Makes the empty secret in which `mint` keeps the next refresh token of a connection. `key` is the customer key of the
 * connection's own secret, where there is one. The secret stays when the stack goes: without a person's consent there is
 * no other refresh token.
 */
export function makeKeptSecret(
  scope: Construct,
  connection: string,
  name: string,
  key: kms.IKey | undefined,
): CfnSecret {
  const secret = new CfnSecret(scope, `KeptSecret-${connection}`, {
    name,
    description: `Next refresh token of the connection ${connection}: written and read by its mint function alone.`,
    ...(key === undefined ? {} : { kmsKeyId: key.keyArn }),
  });
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason: 'The broker itself puts a new value here with each login.',
  });
  return secret;
}

/**
 * Lets only one role read the values of a secret that the broker makes, named by `secret`: everybody else is denied,
 * administrators too. A batch is no way around it, since AWS asks the same permission for each secret in it. Putting a
 * value, and all else, stays with the account, so that nobody is locked out.
 */
export function closeSecret(
  scope: Construct,
  id: string,
  { secret, readerArn }: { readonly secret: string; readonly readerArn: string },
): void {
  const onlyItsReader = new iam.PolicyStatement({
    sid: 'OnlyItsMintReads',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: ['secretsmanager:GetSecretValue'],
    resources: ['*'],
    conditions: { ArnNotEquals: { 'aws:PrincipalArn': readerArn } },
  });
  new CfnResourcePolicy(scope, id, {
    secretId: secret,
    resourcePolicy: new iam.PolicyDocument({ statements: [onlyItsReader] }),
  });
}

/**
 * The ARN of a secret by its name, as IAM matches it: the six characters after a name are AWS's own. An ARN stays as it
 * is. Made so, it needs no parameter in a nested stack, of which there can be 200.
 */
export function secretArnOf(scope: Construct, secret: string): string {
  if (isSecretArn(secret)) return secret;
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${secret}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/**
 * The statements to read one secret's value, and to make a candidate current where the connection takes any; `key` is
 * the customer key that encrypts it, where there is one.
 */
export function readSecretStatements(
  secretArn: string,
  key: kms.IKey | undefined,
  isWithCandidates: boolean,
): iam.PolicyStatement[] {
  const move = isWithCandidates ? ['secretsmanager:UpdateSecretVersionStage'] : [];
  return secretStatements(secretArn, ['secretsmanager:GetSecretValue', ...move], key, ['kms:Decrypt']);
}

/** The statements to keep values in one secret, a version at a time. */
export function keepSecretStatements(secretArn: string, key: kms.IKey | undefined): iam.PolicyStatement[] {
  const actions = ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'];
  const own = actions.map((action) => `secretsmanager:${action}`);
  return secretStatements(secretArn, own, key, ['kms:Decrypt', 'kms:GenerateDataKey']);
}

function secretStatements(
  secretArn: string,
  actions: string[],
  key: kms.IKey | undefined,
  keyActions: string[],
): iam.PolicyStatement[] {
  const ofSecret = new iam.PolicyStatement({ actions, resources: [secretArn] });
  if (key === undefined) return [ofSecret];
  const ofKey = new iam.PolicyStatement({
    actions: keyActions,
    resources: [key.keyArn],
    conditions: { StringLike: { 'kms:EncryptionContext:SecretARN': secretArn } },
  });
  return [ofSecret, ofKey];
}
