import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDynamodbFaultProxy } from '../../../local/aws/dynamodb-faults.ts';
import { startEmbeddedDynamodb } from '../../../local/embedded-dynamodb.ts';
import { createTable, TABLE } from '../slots-table.ts';
import { clientConfig, refusalOf } from './sdk-clients.ts';

async function start() {
  const dynamodb = await startEmbeddedDynamodb({});
  const proxy = await startDynamodbFaultProxy(dynamodb.endpoint);
  const client = new DynamoDBClient(clientConfig(proxy.endpoint));
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
    await dynamodb.close();
  });
  await createTable(client);
  proxy.faults.resetCounts();
  return { dynamodb, proxy, client };
}

const put = (client: DynamoDBClient, gen: string) =>
  client.send(
    new PutItemCommand({ TableName: TABLE, Item: { pk: { S: 'helpdesk' }, sk: { S: '88' }, gen: { N: gen } } }),
  );
const read = async (client: DynamoDBClient) => {
  const Key = { pk: { S: 'helpdesk' }, sk: { S: '88' } };
  return (await client.send(new GetItemCommand({ TableName: TABLE, Key, ConsistentRead: true }))).Item?.['gen']?.N;
};

describe('the DynamoDB fault proxy', () => {
  it('passes on what it is not asked to spoil, errors too, and counts by operation', async () => {
    const { proxy, client } = await start();

    await put(client, '1');
    expect(await read(client)).toBe('1');
    const missing = new GetItemCommand({ TableName: 'no-such-table', Key: { pk: { S: 'a' } } });
    expect((await refusalOf(client.send(missing))).name).toBe('ResourceNotFoundException');
    expect(proxy.faults.counts()).toEqual({ 'dynamodb.PutItem': 1, 'dynamodb.GetItem': 2 });
  });

  it.each([
    ['down', 'InternalServerError', 500],
    ['throttle', 'ProvisionedThroughputExceededException', 400],
    ['deny', 'AccessDeniedException', 400],
  ] as const)('%s is refused in the words of DynamoDB, and nothing is written', async (mode, name, status) => {
    const { proxy, client } = await start();
    await put(client, '1');
    proxy.faults.set('dynamodb', { mode, operation: 'PutItem', count: 1 });

    expect(await refusalOf(put(client, '2'))).toMatchObject({ name, status });
    expect(await read(client)).toBe('1');
    await put(client, '3');
    expect(await read(client)).toBe('3');
  });

  it.each([
    ['lose-reply', '2'],
    ['reset', '1'],
  ] as const)('%s ends the connection without an answer; the item is then at %s', async (mode, gen) => {
    const { proxy, client } = await start();
    await put(client, '1');
    proxy.faults.set('dynamodb', { mode, count: 1 });

    expect((await refusalOf(put(client, '2'))).status).toBeUndefined();
    expect(await read(client)).toBe(gen);
  });

  it('lets the retry of the SDK find the write whose reply was lost', async () => {
    const { proxy } = await start();
    const client = new DynamoDBClient({ ...clientConfig(proxy.endpoint), maxAttempts: 2 });
    onTestFinished(() => client.destroy());
    proxy.faults.set('dynamodb', { mode: 'lose-reply', count: 1 });
    const conditional = new PutItemCommand({
      TableName: TABLE,
      Item: { pk: { S: 'helpdesk' }, sk: { S: '88' } },
      ConditionExpression: 'attribute_not_exists(pk)',
    });

    expect((await refusalOf(client.send(conditional))).name).toBe('ConditionalCheckFailedException');
    expect(proxy.faults.counts()).toEqual({ 'dynamodb.PutItem': 2 });
  });

  it('hang is not answered until the close ends it', async () => {
    const { proxy, client } = await start();
    proxy.faults.set('dynamodb', { mode: 'hang' });
    const outcome = put(client, '1').then(
      () => 'answered',
      () => 'ended',
    );
    await expect.poll(proxy.faults.counts).toEqual({ 'dynamodb.PutItem': 1 });

    await proxy.close();
    expect(await outcome).toBe('ended');
  });

  it('resets connections when the DynamoDB behind it is gone', async () => {
    const { dynamodb, client } = await start();
    await dynamodb.close();

    expect((await refusalOf(put(client, '1'))).status).toBeUndefined();
  });
});
