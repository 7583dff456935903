import { CreateTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAuditTable } from '../../../../functions/adapters/dynamodb/audit-table.ts';
import { systemRandom } from '../../../../functions/adapters/system.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { startDynamodbFaultProxy } from '../../../../local/aws/dynamodb-faults.ts';
import { startEmbeddedDynamodb } from '../../../../local/embedded-dynamodb.ts';
import { retryAtOnce } from '../aws/retry-at-once.ts';
import { testClient } from './store-under-test.ts';

const TABLE = 'audit';
const AT = 1_800_000_000_400;
const KEPT_SECONDS = 90 * 86_400;
const record = {
  caller: 'arn:aws:iam::000000000000:user/local',
  connection: 'helpdesk',
  subject: '88',
  tokenHash: 'ab'.repeat(32),
  generation: 7,
  secretVersion: 'version-1',
  source: 'cache',
  requestId: 'request-1',
  at: AT,
} as const;

retryAtOnce();

const engine = await startEmbeddedDynamodb({});
const proxy = await startDynamodbFaultProxy(engine.endpoint);
const client = testClient(proxy.endpoint);
await client.send(
  new CreateTableCommand({
    TableName: TABLE,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  }),
);
const audit = createAuditTable({ client, table: TABLE, random: systemRandom });
afterEach(() => proxy.faults.clear());
afterAll(async () => {
  client.destroy();
  await proxy.close();
  await engine.close();
});

async function recordsOf(requestId: string) {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }));
  return Items.filter((item) => item['requestId']?.S === requestId);
}

describe('the audit table', () => {
  it('invariant 10: holds who got what, by hash, for 90 days', async () => {
    await audit.handOut(record);
    const [item] = await recordsOf('request-1');
    expect(item).toEqual({
      pk: { S: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      at: { S: new Date(AT).toISOString() },
      caller: { S: record.caller },
      connection: { S: 'helpdesk' },
      subject: { S: '88' },
      tokenHash: { S: record.tokenHash },
      generation: { N: '7' },
      secretVersion: { S: 'version-1' },
      source: { S: 'cache' },
      requestId: { S: 'request-1' },
      ttl: { N: String(Math.ceil(AT / 1000) + KEPT_SECONDS) },
    });
  });

  it.each(['proxy', 'exchange'] as const)(
    'says by which way the token went, where not by a hand-out: %s',
    async (via) => {
      await audit.handOut({ ...record, via, requestId: `request-${via}` });
      expect(await recordsOf(`request-${via}`)).toEqual([expect.objectContaining({ via: { S: via } })]);
    },
  );

  it('keeps two hand-outs of one request apart', async () => {
    await audit.handOut({ ...record, requestId: 'request-2' });
    await audit.handOut({ ...record, requestId: 'request-2', generation: 8 });
    expect(await recordsOf('request-2')).toHaveLength(2);
  });

  it('is written once where the reply was lost and the write was sent again', async () => {
    proxy.faults.set('dynamodb', { mode: 'lose-reply', count: 1 });
    await audit.handOut({ ...record, requestId: 'request-3' });
    expect(await recordsOf('request-3')).toHaveLength(1);
  });

  it('never replaces a record: the put is conditional', async () => {
    const always = { ...systemRandom, uuid: () => '00000000-0000-4000-8000-000000000000' };
    const repeating = createAuditTable({ client, table: TABLE, random: always });
    await repeating.handOut({ ...record, requestId: 'request-4' });
    await repeating.handOut({ ...record, requestId: 'request-5' });
    expect(await recordsOf('request-4')).toHaveLength(1);
    expect(await recordsOf('request-5')).toHaveLength(0);
  });

  it.each(['down', 'throttle', 'deny', 'reset', 'hang'] as const)(
    'invariant 10: %s → audit_unavailable, and the message says nothing of the table',
    async (mode) => {
      proxy.faults.set('dynamodb', { mode });
      const impatient = testClient(proxy.endpoint, mode === 'hang' ? { requestTimeoutMs: 100 } : {});
      const faulty = createAuditTable({ client: impatient, table: TABLE, random: systemRandom });
      const error = await Promise.resolve(faulty.handOut(record)).catch((thrown: unknown) => thrown);
      impatient.destroy();
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ code: 'audit_unavailable', status: 503 });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/a fault|arn:|request-1|ababab/);
    },
  );
});
