import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsClientConfig } from '../../../../functions/adapters/aws/client.ts';
import { createDynamodbStore } from '../../../../functions/adapters/dynamodb/store.ts';
import * as changes from '../../../../functions/core/slot/changes.ts';

/** The order to a claimant, passed in JSON as the only argument of its process. */
export interface RaceOrder {
  readonly endpoint: string;
  readonly accessKeyId?: string;
  readonly table: string;
  /** `first`: slots that nothing is known of; `lapsed`: their leases, after those have run out. */
  readonly round: 'first' | 'lapsed';
  readonly slots: number;
  readonly claims: number;
  /** The slot to begin at, so that no process is first everywhere. */
  readonly offset: number;
}

/** The results of the claims: those won, and the errors of those with an unknown outcome. */
export interface RaceResult {
  readonly won: readonly { readonly subject: string; readonly leaseId: string }[];
  readonly unknown: readonly string[];
}

const FIRST_AT = 1_800_000_000_000;
const LEASE_MS = 17_000;
/** Longer than any race: a claim that times out does not tell who won. */
const GIVEN_UP_AFTER_MS = 280_000;

// A process of its own: it says that it is ready, waits for the word, claims all at once and tells what it won.
const order: RaceOrder = JSON.parse(process.argv[2] ?? '');
const { requestHandler, ...config } = awsClientConfig(
  // A second attempt would find the first one's lease in its way and read as lost.
  { service: 'DYNAMODB', maxAttempts: 1, requestTimeoutMs: GIVEN_UP_AFTER_MS },
  {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: order.endpoint,
    AWS_ACCESS_KEY_ID: order.accessKeyId ?? 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  },
);
const client = new DynamoDBClient({
  ...config,
  requestHandler: {
    ...requestHandler,
    connectionTimeout: GIVEN_UP_AFTER_MS,
    // All processes together stay below what a server keeps waiting to be accepted. None uses a connection again: one
    // that a busy server has just given up would end a claim that nobody knows the outcome of.
    httpAgent: { keepAlive: false, maxSockets: 100 },
  },
});
const store = createDynamodbStore({ client, table: order.table });
const now = order.round === 'first' ? FIRST_AT : FIRST_AT + 2 * LEASE_MS;

const claims = await Promise.all(
  Array.from({ length: order.claims }, async (_, index) => {
    const slot = {
      connection: 'race',
      subject: String(((index + order.offset) % order.slots) + 1),
      fingerprint: 'f00d',
    };
    const seen = order.round === 'first' ? undefined : await store.read(slot, { consistent: true });
    const times = { now, leaseUntil: now + LEASE_MS, notBefore: now + LEASE_MS, ttlSeconds: now / 1000 + 86_400 };
    return { slot, leaseId: randomUUID(), seen, ...times };
  }),
);
process.send?.('ready');
await once(process, 'message');
const outcomes = await Promise.all(
  claims.map(async (claim) => {
    const { leaseId, slot } = claim;
    try {
      return (await store.write(slot, changes.acquire(claim)))
        ? { won: [{ subject: slot.subject, leaseId }], unknown: [] }
        : undefined;
    } catch (error) {
      return { won: [], unknown: [error instanceof Error ? error.name : 'thrown'] };
    }
  }),
);
const result: RaceResult = {
  won: outcomes.flatMap((outcome) => outcome?.won ?? []),
  unknown: outcomes.flatMap((outcome) => outcome?.unknown ?? []),
};
process.send?.(result, () => process.disconnect());
client.destroy();
