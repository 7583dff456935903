import { type AttributeValue, DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { TABLE } from '../../local/functions.ts';
import { testClient } from '../functions/adapters/dynamodb/store-under-test.ts';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { useStillTime } from '../system/still-time.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';

type Item = Record<string, AttributeValue>;

const STAFF = ['1', '2', '3', '4', '5', '6', '7', '8'];

const upstream = await startDemoHelpmaster({ knobs: { staff: STAFF } });
const system = await startSystemUnderTest({
  connections: { helpdesk: { provider: 'helpmaster', baseUrl: upstream.baseUrl, memorySeconds: 0 } },
  secrets: { helpdesk: demoHelpmasterSecret },
});
const api = system.api;
const client = testClient(system.controls.dynamodbEndpoint);
afterAll(async () => {
  client.destroy();
  await system.close();
  await upstream.close();
});

const loginsOf = (subject: string) => upstream.ledger().logins.filter((login) => login.subject === subject).length;

/** The slot's item as it is stored. */
async function itemOf(connection: string, subject: string): Promise<Item> {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: connection }, ':sk': { S: `${subject}#` } },
      ConsistentRead: true,
    }),
  );
  const [item] = Items;
  if (item === undefined) throw new Error('there is no item');
  return item;
}

const put = (item: Item) => client.send(new PutItemCommand({ TableName: TABLE, Item: item }));

function flipped(value: AttributeValue | undefined): AttributeValue {
  const bytes = Uint8Array.from(value?.B ?? []);
  bytes.set([(bytes.at(-1) ?? 0) ^ 1], bytes.length - 1);
  return { B: bytes };
}

describe('an item changed by another writer', () => {
  it.each([
    ['the ciphertext', '1', (item: Item) => ({ ...item, ct: flipped(item['ct']) })],
    ['the encrypted data key', '2', (item: Item) => ({ ...item, dk: flipped(item['dk']) })],
    ['its end', '3', (item: Item) => ({ ...item, usableUntil: { N: String(Date.now() + 10 ** 9) } })],
    ['its generation', '4', (item: Item) => ({ ...item, gen: { N: '7' } })],
  ] as const)(
    '%s was changed: it is discarded with an alarm, and one login mends it',
    async (_what, subject, change) => {
      const first = await api.token('helpdesk', subject);
      await put(change(await itemOf('helpdesk', subject)));

      const after = await api.token('helpdesk', subject);
      expect(gistOf(after)).toBe('200 login');
      expect(tokenOf(after)).not.toBe(tokenOf(first));
      expect(Number(after.json['generation'])).toBeGreaterThan(Number(first.json['generation']));
      expect(system.log()).toContain('CiphertextRejected');
      expect(gistOf(await api.token('helpdesk', subject))).toBe('200 cache');
      expect(loginsOf(subject)).toBe(2);
    },
  );

  it("invariant 8: another slot's token, copied over, is not handed out", async () => {
    const mine = await api.token('helpdesk', '5');
    const theirs = await api.token('helpdesk', '6');
    const { pk, sk } = await itemOf('helpdesk', '6');
    await put({ ...(await itemOf('helpdesk', '5')), ...(pk && { pk }), ...(sk && { sk }) });

    const after = await api.token('helpdesk', '6');
    expect(gistOf(after)).toBe('200 login');
    expect([tokenOf(mine), tokenOf(theirs)]).not.toContain(tokenOf(after));
    expect(loginsOf('6')).toBe(2);
    expect(tokenOf(await api.token('helpdesk', '5'))).toBe(tokenOf(mine));
  });

  it('an item that expired and went (TTL) is a slot without a token', async () => {
    await api.token('helpdesk', '7');
    const { pk, sk } = await itemOf('helpdesk', '7');
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: { ...(pk && { pk }), ...(sk && { sk }) } }));
    expect(gistOf(await api.token('helpdesk', '7'))).toBe('200 login');
    expect(loginsOf('7')).toBe(2);
  });
});

describe('the expiry of items', () => {
  const time = useStillTime();

  it('invariant 1: an item past its end that is still there is not handed out; one login', async () => {
    const first = await api.token('helpdesk', '8');
    time.advanceTo(Date.parse(String(first.json['expires_at'])) - 4_000);
    const item = await itemOf('helpdesk', '8');
    expect(Number(item['ttl']?.N) * 1000).toBeLessThan(Date.now() + 1_000);

    const before = loginsOf('8');
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.token('helpdesk', '8')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.map(tokenOf)).not.toContain(tokenOf(first));
    expect(loginsOf('8')).toBe(before + 1);
  });

  it('invariants 4, 12: a schedule that runs three times at once renews a due slot once, and one that is late does no harm', async () => {
    const first = await api.token('helpdesk', 'system');
    time.advanceTo(Date.parse(String(first.json['refresh_at'])) + 1_000);
    await Promise.all([system.controls.sweep(), system.controls.sweep(), system.controls.sweep()]);
    expect(loginsOf('system')).toBe(2);
    await system.controls.sweep();
    expect(loginsOf('system')).toBe(2);
    const after = await api.token('helpdesk', 'system');
    expect(after.json).toMatchObject({ source: 'cache', generation: 2 });
  });
});
