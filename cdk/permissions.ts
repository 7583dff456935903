import * as iam from 'aws-cdk-lib/aws-iam';
import { attributesNamed } from '../functions/adapters/dynamodb/change-request.ts';
import { loginsLayout, permitLayout } from '../functions/adapters/dynamodb/connection-items.ts';
import { slotLayout } from '../functions/adapters/dynamodb/item.ts';
import { DUE_INDEX, TABLE_KEYS, USED_JWT_PARTITION } from '../functions/adapters/dynamodb/table.ts';
import { isOpenedByMint } from '../functions/configuration/opened-by-mint.ts';
import type { SlotChange } from '../functions/core/slot/changes.ts';
import * as changes from '../functions/core/slot/changes.ts';
import type { Connection } from '../functions/core/slot/connection.ts';
import { NO_LOGINS, noteRotation } from '../functions/core/slot/logins.ts';
import * as permits from '../functions/core/slot/permit.ts';
import { EMPTY_RECORD } from '../functions/core/slot/record.ts';
import { inParts } from './statement-parts.ts';

/** Condition keys of DynamoDB: the partitions, and the attributes, that a request names. */
const ITEMS = 'dynamodb:LeadingKeys';
const ATTRIBUTES = 'dynamodb:Attributes';

/** The resources that the functions' policies name. */
export interface Places {
  /** Name of the broker: part of every data key's encryption context. */
  readonly broker: string;
  readonly tableArn: string;
  readonly keyArn: string;
}

/**
 * The attributes that `exchange` names in what it writes: permits to wait; lease, use, schedule, and an attempt that was
 * not sent. Neither the ciphertext nor the data key is among them: it cannot put a token of its own making in.
 */
const EXCHANGE_WRITES = [
  ...new Set([
    ...attributesOf(
      ...(['login', 'renewal'] as const).flatMap((way) => [
        changes.acquire({ leaseId: '', now: 0, leaseUntil: 0, way, notBefore: 0, ttlSeconds: 0, seen: EMPTY_RECORD }),
        changes.fail({ leaseId: '', way, code: 'mint_unavailable', at: 0, notBefore: 0, dueAt: 0, ttlSeconds: 0 }),
      ]),
      changes.askRefresh({ generation: 0, now: 0, notSince: 0 }),
      changes.recordUse({ now: 0, notSince: 0, dueAt: 0 }),
    ),
    ...[permits.takePermit({ holder: '', now: 0, until: 0 }), permits.returnPermit({ holder: '' })].flatMap((change) =>
      attributesNamed(permitLayout('any', 0), change),
    ),
  ]),
];

/** The attributes that `token` names: the same, and those of a caller's report, which nobody can make by an exchange. */
const TOKEN_WRITES = [
  ...new Set([
    ...EXCHANGE_WRITES,
    ...attributesOf(changes.markRejected({ generation: 0, hash: '', reports: '', reportedAt: 0 })),
  ]),
];

/** The attributes that `rotation` names: it ends back-offs, asks for a proof, and notes when it did. */
const ROTATION_WRITES = [
  ...new Set([
    ...attributesOf(
      changes.endBackOff({ notBefore: 0 }, { notBefore: 0, dueAt: 0 }),
      changes.askProof({}, { unprovenVersion: '', dueAt: 0 }),
    ),
    ...attributesNamed(loginsLayout('any'), noteRotation(NO_LOGINS, 0, 0)),
  ]),
].sort();

/**
 * `token`: reads slots, writes leases and notes to them, opens the data keys of tokens. It cannot make a data key, nor
 * open that of what a token keeps closed, such as a refresh token.
 */
export function tokenStatements({ broker, tableArn, keyArn }: Places): iam.PolicyStatement[] {
  return [
    allow(['dynamodb:GetItem'], [tableArn]),
    allow(['dynamodb:UpdateItem'], [tableArn], only({ [ATTRIBUTES]: TOKEN_WRITES })),
    allow(['kms:Decrypt'], [keyArn], {
      StringEquals: { 'kms:EncryptionContext:broker': broker },
      Null: { 'kms:EncryptionContext:use': 'true' },
    }),
  ];
}

/** `exchange`: the same as `token`, but for reports, for the connections that `trust` names. */
export function exchangeStatements(places: Places, connections: readonly string[]): iam.PolicyStatement[] {
  return [...inParts(connections)].flatMap((part) => [
    allow(['dynamodb:GetItem'], [places.tableArn], only({ [ITEMS]: part })),
    allow(['dynamodb:UpdateItem'], [places.tableArn], only({ [ITEMS]: part, [ATTRIBUTES]: EXCHANGE_WRITES })),
    allow(['kms:Decrypt'], [places.keyArn], {
      ...tokensOf(places, part),
      Null: { 'kms:EncryptionContext:use': 'true' },
    }),
  ]);
}

/** `exchange`, if a rule takes each JWT only once: puts a note of a used JWT, and can read or change nothing by it. */
export function usedJwtStatement({ tableArn }: Places): iam.PolicyStatement {
  return allow(['dynamodb:PutItem'], [tableArn], {
    'ForAllValues:StringLike': { [ITEMS]: [`${USED_JWT_PARTITION}*`] },
    'ForAllValues:StringEquals': { [ATTRIBUTES]: Object.values(TABLE_KEYS) },
    Null: { [ITEMS]: 'false', [ATTRIBUTES]: 'false' },
  });
}

/**
 * `mint`: reads and writes the items of `connections`, makes data keys for them alone, and opens those of the connections
 * that renew a token, log one out, or keep a refresh token. Those that only log in have nothing to open.
 */
export function mintStatements(places: Places, connections: readonly Connection[]): iam.PolicyStatement[] {
  const opening = connections.filter((each) => isOpenedByMint(each));
  return [
    ...[...inParts(namesOf(connections))].flatMap((part) => [
      allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [places.tableArn], only({ [ITEMS]: part })),
      allow(['kms:GenerateDataKey'], [places.keyArn], tokensOf(places, part)),
    ]),
    ...(opening.length === 0 ? [] : [...inParts(namesOf(opening))]).map((part) =>
      allow(['kms:Decrypt'], [places.keyArn], tokensOf(places, part)),
    ),
  ];
}

function namesOf(connections: readonly Connection[]): string[] {
  return connections.map(({ name }) => name);
}

/**
 * `proxy`: reads and writes the items of `connections`, since it publishes the slides that their upstreams answer with,
 * and opens their data keys, but for those of refresh tokens that wait to be kept. It makes none: a slide is sealed under
 * the slot's own.
 */
export function proxyStatements(places: Places, connections: readonly string[]): iam.PolicyStatement[] {
  return [...inParts(connections)].flatMap((part) => [
    allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [places.tableArn], only({ [ITEMS]: part })),
    allow(['kms:Decrypt'], [places.keyArn], {
      ...tokensOf(places, part),
      StringNotEquals: { 'kms:EncryptionContext:use': 'kept' },
    }),
  ]);
}

/**
 * `connections`: lists, purges, and takes the lease for a try. It cannot open a token, so an item it wrote would not
 * open either.
 */
export function connectionsStatements({ tableArn }: Places): iam.PolicyStatement[] {
  return [allow(['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem'], [tableArn])];
}

/** `refresh`: sees which slots are due, by the index of keys alone. */
export function refreshStatements({ tableArn }: Places): iam.PolicyStatement[] {
  return [allow(['dynamodb:Query'], [`${tableArn}/index/${DUE_INDEX.name}`])];
}

/** `rotation`: lists a connection's slots, ends their back-off, has one log in, and reads and notes the last reaction. */
export function rotationStatements({ tableArn }: Places): iam.PolicyStatement[] {
  return [
    allow(['dynamodb:Query', 'dynamodb:GetItem'], [tableArn]),
    allow(['dynamodb:UpdateItem'], [tableArn], only({ [ATTRIBUTES]: ROTATION_WRITES })),
  ];
}

/** Permission to add records of hand-outs, never to read or change them. */
export function auditStatement(tableArn: string): iam.PolicyStatement {
  return allow(['dynamodb:PutItem'], [tableArn]);
}

/** Permission to invoke functions, by ARN or pattern. */
export function invokeStatements(functionArns: readonly string[]): iam.PolicyStatement[] {
  return [...inParts(functionArns)].map((part) => allow(['lambda:InvokeFunction'], part));
}

/**
 * The permissions that Lambda itself needs to put a function into a VPC. The function's own code has the same role and
 * must not have this: `lambda:SourceFunctionArn` is there only in calls that the code makes.
 */
export function vpcStatement(): iam.PolicyStatement {
  return allow(
    [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    ['*'],
    { Null: { 'lambda:SourceFunctionArn': 'true' } },
  );
}

/** Builds the conditions that each of the keys of DynamoDB has these values and no others. */
function only(values: Readonly<Record<string, readonly string[]>>): iam.Conditions {
  return {
    'ForAllValues:StringEquals': values,
    // `ForAllValues` also holds where a request has no such key at all.
    Null: Object.fromEntries(Object.keys(values).map((key) => [key, 'false'])),
  };
}

function tokensOf({ broker }: Places, connections: readonly string[]): iam.Conditions {
  return { StringEquals: { 'kms:EncryptionContext:broker': broker, 'kms:EncryptionContext:connection': connections } };
}

/** The attributes that changes name, in conditions too; each change in the shape that names the most. */
function attributesOf(...made: readonly SlotChange[]): readonly string[] {
  const layout = slotLayout({ connection: 'any', subject: 'any', fingerprint: 'any' });
  return [...new Set(made.flatMap((change) => attributesNamed(layout, change)))].sort();
}

function allow(actions: string[], resources: string[], conditions?: iam.Conditions): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources, ...(conditions === undefined ? {} : { conditions }) });
}
