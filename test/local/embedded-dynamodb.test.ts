import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { StartError } from '../../local/start-error.ts';
import { clientConfig, refusalOf } from './aws/sdk-clients.ts';
import { createTable, DUE_INDEX, TABLE } from './slots-table.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-dynamodb-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function start(options: { dataDir?: string } = {}) {
  const dynamodb = await startEmbeddedDynamodb(options);
  const client = new DynamoDBClient(clientConfig(dynamodb.endpoint));
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= dynamodb.close().then(() => client.destroy());
    return closed;
  };
  onTestFinished(close);
  return { endpoint: dynamodb.endpoint, client, close };
}

const Key = { pk: { S: 'helpdesk' }, sk: { S: '88' } };
const put = (client: DynamoDBClient, attributes: PutItemCommand['input']['Item'] = {}) =>
  client.send(new PutItemCommand({ TableName: TABLE, Item: { ...Key, ...attributes } }));
const read = async (client: DynamoDBClient) =>
  (await client.send(new GetItemCommand({ TableName: TABLE, Key, ConsistentRead: true }))).Item;

describe('the embedded DynamoDB', () => {
  it('has a table ready soon after it was made', async () => {
    const { client, endpoint } = await start();
    await createTable(client);

    await expect
      .poll(async () => (await client.send(new DescribeTableCommand({ TableName: TABLE }))).Table?.TableStatus)
      .toBe('ACTIVE');
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('lets one of many conditional writers win', async () => {
    const { client } = await start();
    await createTable(client);
    await put(client, { gen: { N: '1' } });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_unused, index) =>
        client.send(
          new UpdateItemCommand({
            TableName: TABLE,
            Key,
            UpdateExpression: 'SET leaseId = :me, gen = gen + :one',
            ConditionExpression: 'gen = :g AND attribute_not_exists(leaseId)',
            ExpressionAttributeValues: { ':me': { S: String(index) }, ':one': { N: '1' }, ':g': { N: '1' } },
          }),
        ),
      ),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await read(client))?.['gen']).toEqual({ N: '2' });
  });

  it('finds what is due by a sparse index, and no longer once the attribute is removed', async () => {
    const { client } = await start();
    await createTable(client);
    await put(client, { shard: { N: '2' }, dueAt: { N: '100' } });
    const Item = { pk: { S: 'helpdesk' }, sk: { S: 'later' }, shard: { N: '2' }, dueAt: { N: '900' } };
    await client.send(new PutItemCommand({ TableName: TABLE, Item }));
    const due = async () => {
      const query = new QueryCommand({
        TableName: TABLE,
        IndexName: DUE_INDEX,
        KeyConditionExpression: '#shard = :s AND dueAt <= :now',
        // A reserved word, on AWS too.
        ExpressionAttributeNames: { '#shard': 'shard' },
        ExpressionAttributeValues: { ':s': { N: '2' }, ':now': { N: '500' } },
      });
      return (await client.send(query)).Items;
    };

    expect(await due()).toEqual([{ ...Key, shard: { N: '2' }, dueAt: { N: '100' } }]);
    await client.send(new UpdateItemCommand({ TableName: TABLE, Key, UpdateExpression: 'REMOVE dueAt' }));
    expect(await due()).toEqual([]);
  });

  it('keeps its tables over a restart in a data folder, and not in memory', async () => {
    const first = await start({ dataDir });
    await createTable(first.client);
    await put(first.client, { ct: { B: Buffer.from('sealed') }, shard: { N: '1' }, dueAt: { N: '5' } });
    await first.close();

    const second = await start({ dataDir });
    expect((await read(second.client))?.['ct']?.B).toEqual(Uint8Array.from(Buffer.from('sealed')));
    await put(second.client, { gen: { N: '2' } });
    expect((await read(second.client))?.['gen']).toEqual({ N: '2' });

    const inMemory = await start();
    expect((await inMemory.client.send(new ListTablesCommand({}))).TableNames).toEqual([]);
  });

  it('refuses a data folder that is in use, and leaves it to its user', async () => {
    const first = await start({ dataDir });
    await createTable(first.client);

    await expect(startEmbeddedDynamodb({ dataDir })).rejects.toThrow(StartError);
    await expect(startEmbeddedDynamodb({ dataDir })).rejects.toThrow(/is in use: stop the other process/);
    await put(first.client);
    expect(await read(first.client)).toEqual(Key);
  });

  it('refuses a data folder that is a file', async () => {
    const path = join(dataDir, 'file');
    await writeFile(path, '');

    await expect(startEmbeddedDynamodb({ dataDir: path })).rejects.toThrow(/is not a folder/);
  });

  it('outlives a client that goes away in mid-body', async () => {
    const { client, endpoint } = await start();
    const { port, host } = new URL(endpoint);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nabc`, () => socket.resetAndDestroy());
    await new Promise((resolve) => socket.once('close', resolve));

    await createTable(client);
    await put(client);
    expect(await read(client)).toEqual(Key);
  });

  it('answers nothing that a web page could ask', async () => {
    const { endpoint } = await start();
    const answer = await fetch(endpoint, { headers: { origin: 'https://evil.example' } });

    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('refuses a body without end', async () => {
    const { endpoint } = await start();
    const answer = await fetch(endpoint, { method: 'POST', body: 'x'.repeat(17 * 1024 * 1024) });

    expect(answer.status).toBe(413);
  });

  it('ends the writes of clients that have gone away before it closes, item and index alike', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { client, close } = await start({ dataDir });
      if (round === 0) await createTable(client);
      const gone = new AbortController();
      const writes = Array.from({ length: 30 }, (_unused, index) =>
        client
          .send(
            new UpdateItemCommand({
              TableName: TABLE,
              Key,
              UpdateExpression: 'SET #shard = :s, dueAt = :d',
              ExpressionAttributeNames: { '#shard': 'shard' },
              ExpressionAttributeValues: { ':s': { N: '1' }, ':d': { N: String(round * 100 + index) } },
            }),
            { abortSignal: gone.signal },
          )
          .catch(() => undefined),
      );
      await Promise.race(writes);
      gone.abort();
      await Promise.all([close(), ...writes]);
    }

    const { client } = await start({ dataDir });
    const due = new QueryCommand({
      TableName: TABLE,
      IndexName: DUE_INDEX,
      KeyConditionExpression: '#shard = :s',
      ExpressionAttributeNames: { '#shard': 'shard' },
      ExpressionAttributeValues: { ':s': { N: '1' } },
    });
    const item = await read(client);
    expect(Number(item?.['dueAt']?.N)).toBeGreaterThanOrEqual(700);
    expect((await client.send(due)).Items).toEqual([item]);
  });

  it('closes with an idle client connected, and gives up what was never sent whole', async () => {
    const { endpoint, client, close } = await start();
    await client.send(new ListTablesCommand({}));
    const { port, host } = new URL(endpoint);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nabc`);
    await client.send(new ListTablesCommand({}));

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = close();
    await vi.advanceTimersByTimeAsync(1_500);
    await closed;
    vi.useRealTimers();
    expect(
      (await refusalOf(new DynamoDBClient(clientConfig(endpoint)).send(new ListTablesCommand({})))).status,
    ).toBeUndefined();
    socket.destroy();
  });
});
