import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modulesOfHandOut, type Start } from '../../bench/cold/cold.ts';
import { MOST_EAGER_BYTES } from '../../bench/cold/weight.ts';
import { type RecordedWeight, weighDeployed } from '../../bench/record-weights.ts';
import { createDynamodbClient } from '../../functions/adapters/dynamodb/client.ts';
import { keyOf, number } from '../../functions/adapters/dynamodb/item.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import { TABLE } from '../../local/functions.ts';
import { type FunctionsUnderTest, startFunctionsUnderTest } from '../functions/api/functions-under-test.ts';
import recorded from './weights.json' with { type: 'json' };

/** A bundle may grow by this much before somebody has to say that it is meant to. */
const GROWTH = 1.02;
/** One file more costs a cold start as much as some 10 KB more: it is looked for, read and linked by itself. */
const MOST_FILES = 5;
const NOTICED_BYTES = 300;
const HERD = 50;

const budgets: Readonly<Record<string, RecordedWeight>> = recorded;
const weights = weighDeployed();

/** Lists the parts that are heavier than recorded, for the message of a broken budget. */
function grownIn(name: string): string {
  const before: Readonly<Record<string, number>> = budgets[name]?.eagerBy ?? {};
  const grown = Object.entries(weights[name]?.eagerBy ?? {})
    .map(([part, bytes]) => ({ part, by: bytes - (before[part] ?? 0) }))
    .filter(({ by }) => by > NOTICED_BYTES)
    .sort((a, b) => b.by - a.by);
  const parts = grown.map(({ part, by }) => `${part} +${by}`).join(', ');
  return `${name} grew: ${parts === '' ? 'what is loaded on demand' : parts}. If that is meant: node bench/record-weights.ts`;
}

describe('a bundle', () => {
  it.each(Object.keys(weights))('of %s weighs no more than its budget', (name) => {
    const { eager = 0, total = 0 } = weights[name] ?? {};
    expect(eager, grownIn(name)).toBeLessThanOrEqual((budgets[name]?.eager ?? 0) * GROWTH);
    expect(total, grownIn(name)).toBeLessThanOrEqual((budgets[name]?.total ?? 0) * GROWTH);
  });

  it(`of token loads at most ${MOST_EAGER_BYTES} bytes before its handler can run`, () => {
    expect(weights['token']?.eager, grownIn('token')).toBeLessThanOrEqual(MOST_EAGER_BYTES);
  });

  it('of token has nothing eager that a hand-out from memory does not need', () => {
    const eager = Object.keys(weights['token']?.eagerBy ?? {});
    const unwanted =
      /client-(?!dynamodb)|zod|middy|powertools|credential-provider|nested-clients|xray|ajv|jose|functions\/(?:mint|providers)/;
    expect(eager.filter((part) => unwanted.test(part))).toEqual([]);
    expect(eager).toContain('@aws-sdk/client-dynamodb');
  });
});

describe('an instance of token', () => {
  let start: Start;
  let built: readonly string[];
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-broker-budgets-'));
    try {
      start = await modulesOfHandOut(folder);
      built = await readdir(join(folder, 'token'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
  const loaded = () =>
    start.eagerFiles.filter((url) => url.startsWith('file:')).map((url) => url.split('/').at(-1) ?? '');

  it('has loaded everything at INIT that a hand-out needs: requests load nothing', () => {
    expect(start.status).toBe(200);
    expect(start.laterFiles).toEqual([]);
  });

  it('loads the KMS client of what is on demand, and neither the Lambda client nor what reads bodies or writes errors', () => {
    for (const [chunk, times] of Object.entries({ kms: 1, minting: 0, problem: 0, rejection: 0, bowser: 0 })) {
      expect(built.filter((name) => name.startsWith(chunk))).toHaveLength(1);
      expect(loaded().filter((name) => name.startsWith(chunk))).toHaveLength(times);
    }
  });

  it(`reads at most ${MOST_FILES} files of code`, () => {
    expect(loaded().length, loaded().join(', ')).toBeLessThanOrEqual(MOST_FILES);
  });

  it('loads neither undici nor HTTP/2 nor workers of Node', () => {
    const unwanted = start.builtins.filter((name) => /undici|http2|worker_threads|child_process/.test(name));
    expect(unwanted).toEqual([]);
    expect(start.builtins.length).toBeGreaterThan(10);
  });

  it('loads no files by promises, since there is no profile to read, and no streams of the web, zlib or reports', () => {
    const unwanted = start.builtins.filter((name) => /^NativeModule (fs\/promises|zlib)$|webstreams|report/.test(name));
    expect(unwanted).toEqual([]);
  });
});

describe('a hand-out', () => {
  let broker: FunctionsUnderTest;
  beforeAll(async () => {
    broker = await startFunctionsUnderTest(({ helpmaster }) => ({
      connections: {
        kept: { provider: 'helpmaster', baseUrl: helpmaster },
        forgotten: { provider: 'helpmaster', baseUrl: helpmaster, memorySeconds: 0 },
        begun: { provider: 'helpmaster', baseUrl: helpmaster },
      },
    }));
  });
  afterAll(() => broker.close());

  async function handOut(path: string): Promise<Readonly<Record<string, number>>> {
    broker.downstream();
    expect((await broker.call({ path })).status).toBe(200);
    return broker.downstream();
  }

  it('from memory asks AWS nothing', async () => {
    await handOut('/tokens/kept/system');
    expect(await handOut('/tokens/kept/system')).toEqual({});
  });

  it('from the store is one read: no KMS with a warm data key, never Secrets Manager', async () => {
    await handOut('/tokens/forgotten/system');
    await handOut('/tokens/forgotten/system');
    expect(await handOut('/tokens/forgotten/system')).toEqual({ 'dynamodb.GetItem': 1 });
  });

  it('from the store notes the use of a slot once in a while, with one write', async () => {
    await handOut('/tokens/forgotten/88');
    await handOut('/tokens/forgotten/88');
    const connection = broker.configuration.connections['forgotten'];
    if (connection === undefined) throw new Error('The connection is declared above.');
    const client = createDynamodbClient(broker.environment);
    await client.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: keyOf(slotOf(connection, '88')),
        UpdateExpression: 'SET lastHandedOutAt = :long_ago',
        ExpressionAttributeValues: { ':long_ago': number(0) },
      }),
    );
    client.destroy();

    expect(await handOut('/tokens/forgotten/88')).toEqual({ 'dynamodb.GetItem': 1, 'dynamodb.UpdateItem': 1 });
    expect(await handOut('/tokens/forgotten/88')).toEqual({ 'dynamodb.GetItem': 1 });
  });

  it('with a login writes nothing for the gate of logins once the version is proven, and twice before', async () => {
    const writesOf = async (path: string) => (await handOut(path))['dynamodb.UpdateItem'];
    // Taking the lease, beginning under it, publishing.
    expect(await writesOf('/tokens/begun/system')).toBe(3 + 2);
    expect(await writesOf('/tokens/begun/88')).toBe(3);
    expect(await writesOf('/tokens/begun/42')).toBe(3);
  });

  it(`to a herd of ${HERD} on an empty slot is one login`, async () => {
    broker.downstream();
    const answers = await Promise.all(Array.from({ length: HERD }, () => broker.call({ path: '/tokens/kept/42' })));
    const { logins } = broker.downstream();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(logins).toBe(1);
  });
});
