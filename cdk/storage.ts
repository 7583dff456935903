import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { DUE_INDEX, TABLE_KEYS } from '../functions/adapters/dynamodb/table.ts';

/**
 * Creates the key that tokens and table are encrypted with, rotated each year. Through DynamoDB whoever may use a table
 * of this account may use the key for it, as with the key that AWS manages; for all else the account's policies decide.
 */
export function createKey(scope: Construct, { broker, region }: { readonly broker: string; readonly region: string }) {
  const key = new kms.Key(scope, 'Key', {
    description: `Token broker ${broker}: its table and its tokens`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'DynamodbForItsCallers',
      principals: [new iam.AnyPrincipal()],
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:CreateGrant',
        'kms:DescribeKey',
      ],
      resources: ['*'],
      conditions: {
        StringEquals: { 'kms:CallerAccount': key.env.account, 'kms:ViaService': `dynamodb.${region}.amazonaws.com` },
      },
    }),
  );
  return key;
}

/**
 * Lets only `makers` make the tokens' data keys, and only `makers` and `readers` open them; both are ARNs or patterns of
 * roles. Everybody else is denied, administrators too. All else about the key stays with the account.
 */
export function reserveDataKeys(
  key: kms.Key,
  roles: { readonly broker: string; readonly makers: readonly string[]; readonly readers: readonly string[] },
): void {
  const denyAllBut = (sid: string, actions: string[], kept: string[]): void => {
    const statement = new iam.PolicyStatement({
      sid,
      effect: iam.Effect.DENY,
      principals: [new iam.AnyPrincipal()],
      actions,
      resources: ['*'],
      conditions: {
        StringEquals: { 'kms:EncryptionContext:broker': roles.broker },
        ArnNotLike: { 'aws:PrincipalArn': kept },
      },
    });
    key.addToResourcePolicy(statement);
  };
  denyAllBut('DataKeysAreMadeByMint', ['kms:GenerateDataKey*', 'kms:Encrypt', 'kms:ReEncrypt*'], [...roles.makers]);
  denyAllBut('DataKeysAreOpenedByTokenAndMint', ['kms:Decrypt'], [...roles.makers, ...roles.readers]);
}

/**
 * Creates the table of slots: a cache, so it goes with the stack; what it held is logged in for again. Needs a stack
 * with a known region.
 */
export function createSlotTable(scope: Construct, key: kms.Key, warm?: dynamodb.WarmThroughput): dynamodb.TableV2 {
  return new dynamodb.TableV2(scope, 'Slots', {
    partitionKey: { name: TABLE_KEYS.partition, type: dynamodb.AttributeType.STRING },
    sortKey: { name: TABLE_KEYS.sort, type: dynamodb.AttributeType.STRING },
    billing: dynamodb.Billing.onDemand(),
    ...(warm === undefined ? {} : { warmThroughput: warm }),
    timeToLiveAttribute: TABLE_KEYS.ttl,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    encryption: dynamodb.TableEncryptionV2.customerManagedKey(key),
    removalPolicy: RemovalPolicy.DESTROY,
    globalSecondaryIndexes: [
      {
        indexName: DUE_INDEX.name,
        partitionKey: { name: DUE_INDEX.partition, type: dynamodb.AttributeType.NUMBER },
        sortKey: { name: DUE_INDEX.sort, type: dynamodb.AttributeType.NUMBER },
        projectionType: dynamodb.ProjectionType.KEYS_ONLY,
      },
    ],
  });
}

/**
 * Creates the table that `strictAudit` writes hand-outs to. It stays when the stack goes, and so it is under the key
 * that AWS manages: the stack's own key goes with the stack.
 */
export function createAuditTable(scope: Construct): dynamodb.TableV2 {
  return new dynamodb.TableV2(scope, 'Audit', {
    partitionKey: { name: TABLE_KEYS.partition, type: dynamodb.AttributeType.STRING },
    billing: dynamodb.Billing.onDemand(),
    timeToLiveAttribute: TABLE_KEYS.ttl,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    encryption: dynamodb.TableEncryptionV2.awsManagedKey(),
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
}
