import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDynamodbStore } from '../../../../functions/adapters/dynamodb/store.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';
import { takeKept } from '../../../../functions/core/slot/kept.ts';
import { changeLogins, NO_LOGINS } from '../../../../functions/core/slot/logins.ts';
import { EMPTY_RECORD } from '../../../../functions/core/slot/record.ts';
import type { Store } from '../../../../functions/core/slot/store.ts';
import { BrokerError } from '../../../../functions/core/words/errors.ts';
import { type DynamodbFaultProxy, startDynamodbFaultProxy } from '../../../../local/aws/dynamodb-faults.ts';
import { closeServer, listenOnLoopback } from '../../../../local/aws/loopback-server.ts';
import { startEmbeddedDynamodb } from '../../../../local/embedded-dynamodb.ts';
import { startRawServer } from '../../http/raw-server.ts';
import { retryAtOnce } from '../aws/retry-at-once.ts';
import {
  claimOn,
  createTable,
  failureOf,
  NOW,
  publicationOf,
  SLOT,
  sealedToken,
  TTL_SECONDS,
  testClient,
} from './store-under-test.ts';

const everyOperation: {
  readonly [Name in keyof typeof changes | 'changeLogins' | 'takeKept' | Exclude<keyof Store, `write${string}`>]: (
    store: Store,
  ) => Promise<unknown>;
} = {
  read: (store) => store.read(SLOT, { consistent: true }),
  acquire: (store) => store.write(SLOT, changes.acquire(claimOn(undefined))),
  begin: (store) => store.writeAndRead(SLOT, changes.begin({ leaseId: 'lease-1', begunBy: 'request-1' })),
  turnToLogin: (store) => {
    const turn = { leaseId: 'lease-1', seenGeneration: 1, now: NOW, notBefore: NOW + 1, isRejected: false };
    return store.write(SLOT, changes.turnToLogin(turn));
  },
  publish: (store) => store.write(SLOT, changes.publish(publicationOf())),
  fail: (store) => store.write(SLOT, changes.fail(failureOf())),
  defer: (store) => store.write(SLOT, changes.defer({ leaseId: 'lease-1', until: NOW, tries: 0 })),
  release: (store) => store.write(SLOT, changes.release({ leaseId: 'lease-1' })),
  askRefresh: (store) => store.write(SLOT, changes.askRefresh({ generation: 1, now: NOW, notSince: NOW })),
  recordUse: (store) => store.write(SLOT, changes.recordUse({ now: NOW, notSince: NOW })),
  markRejected: (store) => store.write(SLOT, changes.markRejected({ generation: 1, hash: sealedToken().hash })),
  reschedule: (store) => store.write(SLOT, changes.reschedule({ generation: 1, lastHandedOutAt: 0 })),
  purge: (store) => store.write(SLOT, changes.purge({ ttlSeconds: TTL_SECONDS })),
  endBackOff: (store) => store.write(SLOT, changes.endBackOff({ notBefore: 0 }, { notBefore: NOW })),
  askProof: (store) => store.write(SLOT, changes.askProof({}, { unprovenVersion: 'version-2', dueAt: NOW })),
  endProof: (store) => store.write(SLOT, changes.endProof({ version: 'version-2' })),
  adopt: (store) => store.write(SLOT, changes.adopt({ ...publicationOf(), usedHash: sealedToken().hash, now: NOW })),
  barRenewal: (store) => store.write(SLOT, changes.barRenewal({ hash: 'a', until: NOW })),
  borrow: (store) => store.write(SLOT, changes.borrow({ ...claimOn(undefined), seen: EMPTY_RECORD })),
  beginCall: (store) =>
    store.write(
      SLOT,
      changes.beginCall({ ...claimOn(undefined), seen: { ...EMPTY_RECORD, token: sealedToken() }, turns: 'c' }),
    ),
  changeTurns: (store) => store.write(SLOT, changes.changeTurns({ seen: EMPTY_RECORD, turns: 'c' })),
  list: (store) => store.list({ connection: 'helpdesk', limit: 1 }),
  due: (store) => store.due({ now: NOW, limit: 1 }),
  logins: (store) => store.logins('helpdesk'),
  changeLogins: (store) => store.writeLogins('helpdesk', changeLogins(NO_LOGINS, NO_LOGINS, NOW)),
  kept: (store) => store.kept('helpdesk'),
  takeKept: (store) => store.writeKept('helpdesk', takeKept({ leaseId: 'lease-1', leaseUntil: NOW, seen: undefined })),
};

retryAtOnce();

let proxy: DynamodbFaultProxy;
let client: DynamoDBClient;
let store: Store;
let tables = 0;

const engine = await startEmbeddedDynamodb({});
// Each test has a proxy of its own: an operation of several requests goes on with the others after the first has failed.
beforeEach(async () => {
  proxy = await startDynamodbFaultProxy(engine.endpoint);
  tables += 1;
  client = testClient(proxy.endpoint);
  await createTable(client, `faulty-${tables}`);
  store = createDynamodbStore({ client, table: `faulty-${tables}` });
  proxy.faults.resetCounts();
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
});
afterAll(() => engine.close());

describe('the store with DynamoDB in trouble', () => {
  it.each(['down', 'throttle', 'deny', 'reset'] as const)(
    'is unavailable, and says no more, when it is: %s',
    async (mode) => {
      proxy.faults.set('dynamodb', { mode });
      const failures = await Promise.all(
        Object.entries(everyOperation).map(
          async ([name, run]) => [name, await run(store).catch((e: unknown) => e)] as const,
        ),
      );

      for (const [name, error] of failures) {
        expect(error, name).toBeInstanceOf(BrokerError);
        expect(error, name).toMatchObject({ code: 'store_unavailable', detail: expect.stringContaining(`(${name})`) });
        expect((error as Error).cause, name).toBeUndefined();
        expect(JSON.stringify(error) + String(error), name).not.toMatch(/helpdesk|lease-1|faulty|a fault/);
      }
    },
  );

  it('is unavailable when DynamoDB does not answer in time', async () => {
    const silent = await startRawServer(() => undefined);
    const impatient = testClient(`http://127.0.0.1:${silent.port}`, { requestTimeoutMs: 100 });

    const read = createDynamodbStore({ client: impatient, table: 'any' }).read(SLOT, { consistent: true });
    await expect(read).rejects.toMatchObject({ code: 'store_unavailable' });
    // One for each attempt. A request need not have been read when its time was over; its connection stood.
    await expect.poll(silent.connections).toBe(3);
    impatient.destroy();
    await silent.close();
  });

  it('gets over two faults in a row', async () => {
    proxy.faults.set('dynamodb', { mode: 'down', count: 2 });

    expect(await store.write(SLOT, changes.acquire(claimOn(undefined)))).toBe(true);
  });

  it('finds its own lease after a reply that was lost', async () => {
    proxy.faults.set('dynamodb', { mode: 'lose-reply', count: 1 });

    // The SDK sent the write again, and the lease that was in its way was its own.
    expect(await store.write(SLOT, changes.acquire(claimOn(undefined)))).toBe(false);
    expect((await store.read(SLOT, { consistent: true }))?.lease?.id).toBe('lease-1');
    expect(await store.writeAndRead(SLOT, changes.begin({ leaseId: 'lease-1', begunBy: 'request-1' }))).toMatchObject({
      lease: { id: 'lease-1', begunBy: 'request-1' },
    });
  });

  it('finds its own publication after a reply that was lost', async () => {
    await store.write(SLOT, changes.acquire(claimOn(undefined)));
    proxy.faults.set('dynamodb', { mode: 'lose-reply', count: 1 });

    expect(await store.write(SLOT, changes.publish(publicationOf()))).toBe(false);
    expect(await store.read(SLOT, { consistent: true })).toMatchObject({
      generation: 1,
      token: { publicationId: 'publication-1' },
    });
  });
});

describe('requests of the store to DynamoDB', () => {
  it('asks once for each operation, and once a shard for what is due', async () => {
    const several: Record<string, number> = { due: 4 };
    for (const [name, run] of Object.entries(everyOperation)) {
      proxy.faults.resetCounts();
      await run(store);
      const requests = Object.values(proxy.faults.counts()).reduce((sum, count) => sum + count, 0);
      expect(requests, name).toBe(several[name] ?? 1);
    }
  });
});

describe('the consistency of reads', async () => {
  let consistency: unknown[] = [];
  const recorder = createServer(async (request, response) => {
    consistency.push((Object(await json(request)) as { ConsistentRead?: boolean }).ConsistentRead);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
  });
  const recorderClient = testClient(await listenOnLoopback(recorder, 0));
  const recording = createDynamodbStore({ client: recorderClient, table: 'any' });
  beforeEach(() => {
    consistency = [];
  });
  afterAll(async () => {
    recorderClient.destroy();
    await closeServer(recorder, 100);
  });

  it('reads a slot as consistently as it is asked to', async () => {
    await recording.read(SLOT, { consistent: true });
    await recording.read(SLOT, { consistent: false });

    expect(consistency).toEqual([true, false]);
  });

  it('reads logins and listings consistently', async () => {
    await recording.logins('helpdesk');
    await recording.list({ connection: 'helpdesk', limit: 1 });

    expect(consistency).toEqual([true, true]);
  });
});
