import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamodbStore } from '../../../../functions/adapters/dynamodb/store.ts';
import type { RaceOrder, RaceResult } from './store-race-claimant.ts';
import { createTable, type DynamodbEngine, testClient } from './store-under-test.ts';

const CLAIMANT = fileURLToPath(new URL('store-race-claimant.ts', import.meta.url));
const PROCESSES = 4;
const SLOTS = 40;
const CLAIMS = 2_000;
const CLAIMS_EACH = CLAIMS / PROCESSES;
/** Many times what it takes: it is the machine's work alone. */
const WITHIN_MS = 300_000;

/** Registers a race on one DynamoDB: 2,000 claims at once over 40 slots, from several processes (invariant 3). */
export function describeStoreRace(engineName: string, start: () => Promise<DynamodbEngine>): void {
  describe(`a race for the lease on ${engineName}`, () => {
    const table = 'race';
    let engine: DynamodbEngine;

    beforeAll(async () => {
      engine = await start();
      const client = testClient(engine.endpoint, keyOf(engine));
      await createTable(client, table);
      client.destroy();
    });
    afterAll(() => engine.close());

    it.each([
      ['slots that nothing is known of', 'first'],
      ['leases that have lapsed', 'lapsed'],
    ] as const)(
      `invariant 3: ${CLAIMS} claims at once over ${SLOTS} slots, on %s, have exactly ${SLOTS} winners`,
      async (_what, round) => {
        const won = await race({
          endpoint: engine.endpoint,
          ...keyOf(engine),
          table,
          round,
          slots: SLOTS,
          claims: CLAIMS_EACH,
        });

        expect(won.flatMap(({ unknown }) => unknown)).toEqual([]);
        const winners = won.flatMap(({ won: ids }) => ids);
        expect(winners).toHaveLength(SLOTS);
        expect(new Set(winners.map(({ subject }) => subject)).size).toBe(SLOTS);
        await expectHeldBy(winners, round === 'first' ? 1 : 2);
      },
      WITHIN_MS,
    );

    /** Expects the table to hold the lease that the winners were told of. */
    async function expectHeldBy(winners: RaceResult['won'], fence: number): Promise<void> {
      const client = testClient(engine.endpoint, keyOf(engine));
      const store = createDynamodbStore({ client, table });
      for (const { subject, leaseId } of winners) {
        const record = await store.read({ connection: 'race', subject, fingerprint: 'f00d' }, { consistent: true });
        expect(record).toMatchObject({ lease: { id: leaseId }, fence, tries: fence });
      }
      client.destroy();
    }
  });
}

/** Has every process get ready, then lets all of them claim at the same moment. */
async function race(order: Omit<RaceOrder, 'offset'>): Promise<readonly RaceResult[]> {
  const children = Array.from({ length: PROCESSES }, (_, index) => {
    const offset = Math.floor((index * order.slots) / PROCESSES);
    return fork(CLAIMANT, [JSON.stringify({ ...order, offset } satisfies RaceOrder)]);
  });
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const results = children.map(async (child): Promise<RaceResult> => {
      const [result] = await once(child, 'message');
      return result;
    });
    for (const child of children) child.send('go');
    return await Promise.all(results);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function keyOf({ accessKeyId }: DynamodbEngine): { readonly accessKeyId?: string } {
  return accessKeyId === undefined ? {} : { accessKeyId };
}
