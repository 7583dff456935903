import { DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsClientConfig } from '../../functions/adapters/aws/client.ts';
import { TABLE } from '../../local/functions.ts';
import { type FunctionsUnderTest, startFunctionsUnderTest } from '../functions/api/functions-under-test.ts';
import { harness } from '../protocol/harness.ts';

// Whoever may write to the table, and wants a token of its own choice believed, a reported one kept alive, or the audit
// to name another. It cannot decrypt anything.
let under: FunctionsUnderTest;
let client: DynamoDBClient;
type Item = NonNullable<Awaited<ReturnType<typeof read>>>;

beforeAll(async () => {
  under = await startFunctionsUnderTest(({ helpmaster }) => ({
    connections: { helpdesk: { provider: 'helpmaster', baseUrl: helpmaster, memorySeconds: 0 } },
  }));
  client = new DynamoDBClient(awsClientConfig({ service: 'DYNAMODB' }, under.environment));
});
afterAll(async () => {
  client.destroy();
  await under.close();
});

const token = () => under.call({ path: '/tokens/helpdesk/system' });

async function keyOfSlot() {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE }));
  const { pk, sk } = Items.find(({ sk: sort }) => sort?.S?.startsWith('system#')) ?? {};
  if (pk === undefined || sk === undefined) throw new Error('the slot has an item');
  return { pk, sk };
}

async function read() {
  return (await client.send(new GetItemCommand({ TableName: TABLE, Key: await keyOfSlot(), ConsistentRead: true })))
    .Item;
}

const put = (item: Item) => client.send(new PutItemCommand({ TableName: TABLE, Item: item }));
const alarms = () => under.log().filter(({ CiphertextRejected }) => CiphertextRejected !== undefined).length;

describe('an item that was changed', () => {
  beforeEach(async () => {
    await under.call({ method: 'DELETE', path: '/tokens/helpdesk/system' });
    expect((await token()).status).toBe(200);
  });

  it.each<[string, (item: Item) => Item]>([
    ['the hash that the audit names', (item) => ({ ...item, tokenHash: { S: 'f'.repeat(64) } })],
    ['the refresh, put off for ever', (item) => ({ ...item, refreshAt: { N: '9999999999999' } })],
    ['the refresh, brought forward to before its time', (item) => ({ ...item, refreshAt: { N: '1' } })],
    ['the refresh, put off to the end', (item) => ({ ...item, refreshAt: item['usableUntil'] ?? { N: '0' } })],
    ['the warning that operators read', (item) => ({ ...item, tokenWarning: { S: 'all is well' } })],
    ['the beginning of the session', (item) => ({ ...item, sessionStartedAt: { N: '9999999999999' } })],
    ['its end', (item) => ({ ...item, usableUntil: { N: '9999999999999' } })],
    ['its generation', (item) => ({ ...item, gen: { N: '99' } })],
    ['the version of the secret', (item) => ({ ...item, sv: { S: 'another' } })],
  ])('is not believed, and raises the alarm: %s', async (_, change) => {
    const { json: before } = await token();
    const item = await read();
    if (item === undefined) throw new Error('the slot has an item');
    const alarmsBefore = alarms();
    await put(change(item));

    const { status, json } = await token();
    expect(status).toBe(200);
    expect(json['access_token']).not.toBe(before['access_token']);
    expect(alarms()).toBeGreaterThan(alarmsBefore);
  });
});

it('an old item put back is told of by an instance that has seen a newer one', async () => {
  const { broker, record, put, advance, said } = harness();
  const { token: old } = await broker.handOut();
  const before = record();
  await broker.purge();
  await advance({ minutes: 1 });
  const { token: newer } = await broker.handOut();
  expect(newer.generation).toBeGreaterThan(old.generation);
  await advance({ minutes: 2 });
  put(before);

  await broker.handOut();
  expect(said.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('an old item was put back'));
  expect(said.metrics).toContainEqual(expect.objectContaining({ name: 'CiphertextRejected' }));
});
