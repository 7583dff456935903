import { describe, expect, it } from 'vitest';
import { attributesNamed, requestOf } from '../../functions/adapters/dynamodb/change-request.ts';
import { permitLayout } from '../../functions/adapters/dynamodb/connection-items.ts';
import { slotLayout } from '../../functions/adapters/dynamodb/item.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import { returnPermit, takePermit } from '../../functions/core/slot/permit.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { deployed, trustedWorkload } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';
import type { RequestContext } from './policy-simulator.ts';
import { writes } from './slot-writes.ts';

const slot: Slot = { connection: 'helpdesk', subject: 'system', fingerprint: '0123456789abcdef' };

/** Builds the condition keys that DynamoDB passes to IAM for a write: its partition and every attribute it names. */
function contextOf(change: SlotChange, connection = slot.connection): RequestContext {
  return { ...item(connection), 'dynamodb:Attributes': attributesNamed(slotLayout(slot), change) };
}

function item(connection: string): RequestContext {
  return { 'dynamodb:LeadingKeys': [connection] };
}

function dataKey(connection: string, broker = 'token-broker'): RequestContext {
  return {
    'kms:EncryptionContext:broker': broker,
    'kms:EncryptionContext:connection': connection,
  };
}

const places = [
  'table',
  'due',
  'audit',
  'key',
  'helpdeskSecret',
  'wfmSecret',
  'token',
  'connections',
  'refresh',
  'mintHelpdesk',
  'mintWfm',
  'deadLetters',
] as const;
type Place = (typeof places)[number];
type Row = readonly [role: string, action: string, place: Place, context?: RequestContext];

const READ = 'dynamodb:GetItem';
const UPDATE = 'dynamodb:UpdateItem';
const SECRET = 'secretsmanager:GetSecretValue';
const MOVE = 'secretsmanager:UpdateSecretVersionStage';
const INVOKE = 'lambda:InvokeFunction';
const MAKE = 'kms:GenerateDataKey';
const OPEN = 'kms:Decrypt';

const permitWritesOf = (connection: string) =>
  [takePermit({ holder: 'w', now: 1, until: 2 }), returnPermit({ holder: 'w' })].map((change) => ({
    ...item(connection),
    'dynamodb:Attributes': attributesNamed(permitLayout(connection, 0), change),
  }));

const allowed: readonly Row[] = [
  ...permitWritesOf('helpdesk').map((context): Row => ['Token', UPDATE, 'table', context]),
  ...permitWritesOf('wfm').map((context): Row => ['Exchange', UPDATE, 'table', context]),
  ['Token', READ, 'table', item('helpdesk')],
  ['Token', UPDATE, 'table', contextOf(writes.acquireNew)],
  ['Token', UPDATE, 'table', contextOf(writes.acquireSeen)],
  ['Token', UPDATE, 'table', contextOf(writes.notSent)],
  ['Token', UPDATE, 'table', contextOf(writes.askRefresh)],
  ['Token', UPDATE, 'table', contextOf(writes.recordUse)],
  ['Token', UPDATE, 'table', contextOf(writes.markRejected)],
  ['Token', OPEN, 'key', dataKey('helpdesk')],
  ['Token', INVOKE, 'mintHelpdesk'],
  ['Token', INVOKE, 'mintWfm'],
  ['Token', 'dynamodb:PutItem', 'audit', item('an-id')],
  ['Minthelpdesk', READ, 'table', item('helpdesk')],
  ['Minthelpdesk', UPDATE, 'table', contextOf(writes.publish)],
  ['Minthelpdesk', SECRET, 'helpdeskSecret'],
  // A candidate that the upstream takes becomes current.
  ['Minthelpdesk', MOVE, 'helpdeskSecret'],
  ['Minthelpdesk', MAKE, 'key', dataKey('helpdesk')],
  // It slides its tokens, and opens them for that.
  ['Mintwfm', OPEN, 'key', dataKey('wfm')],
  ['Mintwfm', OPEN, 'key', { ...dataKey('wfm'), 'kms:EncryptionContext:use': 'closed' }],
  ['Mintwfm', SECRET, 'wfmSecret'],
  ['Proxyhelpdesk', READ, 'table', item('helpdesk')],
  ['Proxyhelpdesk', UPDATE, 'table', contextOf(writes.publish)],
  ['Proxyhelpdesk', OPEN, 'key', dataKey('helpdesk')],
  ['Proxyhelpdesk', OPEN, 'key', { ...dataKey('helpdesk'), 'kms:EncryptionContext:use': 'closed' }],
  ['Proxyhelpdesk', INVOKE, 'mintHelpdesk'],
  ['Proxyhelpdesk', 'dynamodb:PutItem', 'audit', item('an-id')],
  ['Exchange', READ, 'table', item('wfm')],
  ['Exchange', UPDATE, 'table', contextOf(writes.recordUse, 'wfm')],
  ['Exchange', OPEN, 'key', dataKey('wfm')],
  ['Exchange', INVOKE, 'mintWfm'],
  ['Exchange', 'dynamodb:PutItem', 'audit', item('an-id')],
  ['Connections', 'dynamodb:Query', 'table', item('helpdesk')],
  ['Connections', READ, 'table', item('helpdesk')],
  ['Connections', UPDATE, 'table', item('helpdesk')],
  ['Connections', INVOKE, 'mintHelpdesk'],
  ['Connections', INVOKE, 'mintWfm'],
  ['Refresh', 'dynamodb:Query', 'due'],
  ['Refresh', INVOKE, 'mintHelpdesk'],
  ['Refresh', INVOKE, 'mintWfm'],
  ['Rotation', 'dynamodb:Query', 'table', item('helpdesk')],
  ['Rotation', UPDATE, 'table', contextOf(writes.endBackOff)],
  ['Schedule', INVOKE, 'refresh'],
  ['Schedule', 'sqs:SendMessage', 'deadLetters'],
  ...['Refresh', 'Rotation'].map((role): Row => [role, 'sqs:SendMessage', 'deadLetters']),
];

const denied: readonly Row[] = [
  ['Token', SECRET, 'helpdeskSecret'],
  ['Token', SECRET, 'wfmSecret'],
  ['Token', MOVE, 'helpdeskSecret'],
  ['Proxyhelpdesk', MOVE, 'helpdeskSecret'],
  ['Token', UPDATE, 'table', contextOf(writes.publish)],
  // The permissions of `token` are derived from its changes. None of them may ever name these attributes.
  ...['ct', 'dk', 'cct', 'cdk', 'issuedAt', 'usableUntil', 'refreshAt', 'sessionStartedAt', 'sv', 'badSv'].map(
    (name): Row => ['Token', UPDATE, 'table', { ...item('helpdesk'), 'dynamodb:Attributes': ['pk', 'sk', name] }],
  ),
  ['Token', UPDATE, 'table', item('helpdesk')],
  ['Token', 'dynamodb:PutItem', 'table', item('helpdesk')],
  ['Token', 'dynamodb:DeleteItem', 'table', item('helpdesk')],
  ['Minthelpdesk', 'dynamodb:DeleteItem', 'table', item('helpdesk')],
  ['Connections', 'dynamodb:DeleteItem', 'table', item('helpdesk')],
  ['Token', 'dynamodb:Scan', 'table'],
  ['Token', MAKE, 'key', dataKey('helpdesk')],
  ['Token', MAKE, 'key'],
  ['Token', 'kms:Encrypt', 'key', dataKey('helpdesk')],
  ['Token', OPEN, 'key'],
  ['Token', OPEN, 'key', dataKey('helpdesk', 'another-broker')],
  // Values sealed beside a token, such as a refresh token, open only for the functions that renew it.
  ['Token', OPEN, 'key', { ...dataKey('helpdesk'), 'kms:EncryptionContext:use': 'closed' }],
  ['Exchange', OPEN, 'key', { ...dataKey('wfm'), 'kms:EncryptionContext:use': 'closed' }],
  // Nobody reports a token by an exchange.
  ['Exchange', UPDATE, 'table', contextOf(writes.markRejected, 'wfm')],
  ...['Refresh', 'Rotation'].flatMap((role): Row[] => [
    [role, 'sqs:GetQueueAttributes', 'deadLetters'],
    [role, 'sqs:ReceiveMessage', 'deadLetters'],
  ]),
  // It only ever logs in: there is nothing to open.
  ['Minthelpdesk', OPEN, 'key', dataKey('helpdesk')],
  ['Token', INVOKE, 'refresh'],
  ['Token', INVOKE, 'connections'],
  ['Token', READ, 'audit', item('an-id')],
  ['Token', UPDATE, 'audit', item('an-id')],
  ['Token', 'dynamodb:DeleteItem', 'audit', item('an-id')],
  ['Minthelpdesk', SECRET, 'wfmSecret'],
  ['Minthelpdesk', MOVE, 'wfmSecret'],
  ['Minthelpdesk', 'secretsmanager:DescribeSecret', 'helpdeskSecret'],
  ['Minthelpdesk', 'secretsmanager:PutSecretValue', 'helpdeskSecret'],
  ['Minthelpdesk', READ, 'table', item('wfm')],
  ['Minthelpdesk', UPDATE, 'table', item('wfm')],
  ['Minthelpdesk', UPDATE, 'table', { 'dynamodb:LeadingKeys': ['helpdesk', 'wfm'] }],
  ['Minthelpdesk', UPDATE, 'table'],
  ['Minthelpdesk', 'dynamodb:Query', 'table', item('helpdesk')],
  ['Minthelpdesk', MAKE, 'key', dataKey('wfm')],
  ['Minthelpdesk', MAKE, 'key'],
  ['Minthelpdesk', OPEN, 'key', dataKey('wfm')],
  ['Minthelpdesk', INVOKE, 'mintWfm'],
  ['Minthelpdesk', 'dynamodb:PutItem', 'audit', item('an-id')],
  ['Proxyhelpdesk', SECRET, 'helpdeskSecret'],
  ['Proxyhelpdesk', MAKE, 'key', dataKey('helpdesk')],
  ['Proxyhelpdesk', OPEN, 'key', dataKey('wfm')],
  ['Proxyhelpdesk', UPDATE, 'table', item('wfm')],
  ['Proxyhelpdesk', INVOKE, 'mintWfm'],
  ['Exchange', SECRET, 'wfmSecret'],
  ['Exchange', MAKE, 'key', dataKey('wfm')],
  ['Exchange', UPDATE, 'table', contextOf(writes.publish, 'wfm')],
  // No rule of `trust` names helpdesk.
  ['Exchange', READ, 'table', item('helpdesk')],
  ['Exchange', READ, 'table', { 'dynamodb:LeadingKeys': ['wfm', 'helpdesk'] }],
  ['Exchange', READ, 'table'],
  ['Exchange', UPDATE, 'table', contextOf(writes.recordUse)],
  ...permitWritesOf('helpdesk').map((context): Row => ['Exchange', UPDATE, 'table', context]),
  ['Exchange', OPEN, 'key', dataKey('helpdesk')],
  ['Exchange', OPEN, 'key', dataKey('wfm', 'another-broker')],
  ['Exchange', INVOKE, 'mintHelpdesk'],
  ['Connections', SECRET, 'helpdeskSecret'],
  ['Connections', MOVE, 'helpdeskSecret'],
  ['Connections', OPEN, 'key', dataKey('helpdesk')],
  ['Connections', MAKE, 'key', dataKey('helpdesk')],
  ['Connections', INVOKE, 'refresh'],
  ['Refresh', 'dynamodb:Query', 'table', item('helpdesk')],
  ['Refresh', READ, 'table', item('helpdesk')],
  ['Refresh', UPDATE, 'table', item('helpdesk')],
  ['Refresh', SECRET, 'helpdeskSecret'],
  ['Refresh', OPEN, 'key', dataKey('helpdesk')],
  ['Refresh', INVOKE, 'token'],
  ['Rotation', SECRET, 'helpdeskSecret'],
  ['Rotation', UPDATE, 'table', contextOf(writes.publish)],
  ['Rotation', OPEN, 'key', dataKey('helpdesk')],
  ['Rotation', INVOKE, 'mintHelpdesk'],
  ['Schedule', INVOKE, 'token'],
  ['Schedule', INVOKE, 'mintHelpdesk'],
];

const rolesOfFunctions = [
  'Token',
  'Minthelpdesk',
  'Mintwfm',
  'Proxyhelpdesk',
  'Exchange',
  'Connections',
  'Refresh',
  'Rotation',
];

/** One synth for all rows: it is the same template. */
const { template } = deployed({ strictAudit: true, trust: [trustedWorkload] });
const policies = policiesOf(template);
const arns: Readonly<Record<Place, string>> = {
  table: policies.arnOf('Slots'),
  due: `${policies.arnOf('Slots')}/index/due`,
  audit: policies.arnOf('Audit'),
  key: policies.arnOf('Key'),
  helpdeskSecret: policies.arnOf('Secrethelpdesk'),
  wfmSecret: policies.arnOf('Secretwfm'),
  token: policies.arnOf('Token'),
  connections: policies.arnOf('Connections'),
  refresh: policies.arnOf('Refresh'),
  mintHelpdesk: policies.arnOf('Minthelpdesk'),
  mintWfm: policies.arnOf('Mintwfm'),
  deadLetters: policies.arnOf('DeadLetters'),
};

function titleOf([role, action, place, context]: Row): string {
  return `${role}: ${action} on ${place}${context === undefined ? '' : ` with ${JSON.stringify(context)}`}`;
}

describe('a role allows every need of its function', () => {
  it.each(allowed.map((row) => [titleOf(row), row] as const))('%s', (_title, [role, action, place, context]) => {
    expect(policies.may(role, action, arns[place], context)).toBe(true);
  });
});

describe('a role denies everything else', () => {
  it.each(denied.map((row) => [titleOf(row), row] as const))('%s', (_title, [role, action, place, context]) => {
    expect(policies.may(role, action, arns[place], context)).toBe(false);
  });

  it('is tested with the writes that the store sends', () => {
    expect(requestOf(slotLayout(slot), writes.publish).UpdateExpression).toContain('#ct = ');
  });
});

describe('the key', () => {
  it('makes and opens data keys of the broker for nobody else, not even an administrator of the account', () => {
    expect(policies.mayAdministrator(MAKE, arns.key, dataKey('helpdesk'))).toBe(false);
    expect(policies.mayAdministrator(OPEN, arns.key, dataKey('helpdesk'))).toBe(false);
    expect(policies.mayAdministrator('kms:ReEncryptFrom', arns.key, dataKey('helpdesk'))).toBe(false);
  });

  it('can still be administered', () => {
    expect(policies.mayAdministrator('kms:PutKeyPolicy', arns.key, {})).toBe(true);
  });

  it('serves the table through DynamoDB, for callers of the account alone', () => {
    const through = { 'kms:ViaService': 'dynamodb.eu-west-1.amazonaws.com' };
    expect(policies.may('Connections', OPEN, arns.key, through)).toBe(true);
    expect(policies.may('Connections', OPEN, arns.key, { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' })).toBe(false);
    expect(policies.may('Connections', OPEN, arns.key, { ...through, 'kms:CallerAccount': '999999999999' })).toBe(
      false,
    );
  });
});

describe('roles', () => {
  it('of the schedule can be taken by schedules of its group alone', () => {
    const group = policies.resolve({ 'Fn::GetAtt': [scheduleGroup(), 'Arn'] });
    const service = 'scheduler.amazonaws.com';
    const own = { 'aws:SourceAccount': '111122223333', 'aws:SourceArn': String(group) };
    expect(policies.mayAssume('Schedule', service, own)).toBe(true);
    expect(
      policies.mayAssume('Schedule', service, {
        ...own,
        'aws:SourceArn': 'arn:aws:scheduler:eu-west-1:111122223333:schedule-group/default',
      }),
    ).toBe(false);
    expect(policies.mayAssume('Schedule', service, { ...own, 'aws:SourceAccount': '999999999999' })).toBe(false);
    expect(policies.mayAssume('Schedule', service, {})).toBe(false);
    expect(policies.mayAssume('Schedule', 'lambda.amazonaws.com', own)).toBe(false);
  });

  it.each(rolesOfFunctions)('of functions (%s) allow everything of nothing, and nothing everywhere', (role) => {
    for (const { Action = [], Resource = [], NotAction, NotResource } of policies.statementsOf(role)) {
      expect([NotAction, NotResource]).toEqual([undefined, undefined]);
      const actions = [Action].flat();
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
      expect([Resource].flat()).not.toContain('*');
    }
  });
});

function scheduleGroup(): string {
  const [id] = Object.keys(template.findResources('AWS::Scheduler::ScheduleGroup'));
  if (id === undefined) throw new Error('The schedule has a group.');
  return id;
}
