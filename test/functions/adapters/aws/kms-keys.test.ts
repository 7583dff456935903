import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKmsClient, createKmsRequests } from '../../../../functions/adapters/aws/kms.ts';
import { createKmsKeys } from '../../../../functions/adapters/aws/kms-keys.ts';
import type { DataKey, Keys } from '../../../../functions/core/slot/keys.ts';
import { startLoopbackServer } from '../../../../local/aws/loopback-server.ts';
import { createTestClock, environmentFor, startAwsUnderTest } from './aws-under-test.ts';
import { retryAtOnce } from './retry-at-once.ts';

const CONNECTION = 'helpdesk';

retryAtOnce();

let clock: ReturnType<typeof createTestClock>;
let keys: Keys;

function keysOf(broker = 'broker-1', keyId = 'alias/token-broker'): Keys {
  return createKmsKeys({ requests: createKmsRequests({ client, keyId }), broker, clock });
}

function asked(operation: 'Decrypt' | 'GenerateDataKey'): number {
  return under.aws.faults.counts()[`kms.${operation}`] ?? 0;
}

function reveal(key: Awaited<ReturnType<Keys['decrypt']>>): string | undefined {
  return key && Buffer.from(key.reveal()).toString('hex');
}

const under = await startAwsUnderTest();
const client = createKmsClient(under.environment);
beforeEach(() => {
  clock = createTestClock();
  keys = keysOf();
  under.aws.faults.resetCounts();
});
afterEach(() => under.aws.faults.clear());
afterAll(async () => {
  client.destroy();
  await under.aws.close();
});

describe('generate', () => {
  it('makes a 256-bit key, which decrypts to the same', async () => {
    const { plaintext, encrypted } = await keys.generate(CONNECTION);

    expect(plaintext.reveal()).toHaveLength(32);
    expect(reveal(await keys.decrypt(CONNECTION, encrypted))).toBe(reveal(plaintext));
  });

  it('gives the same key for an hour, and then a new one', async () => {
    const first = await keys.generate(CONNECTION);
    clock.advance(60 * 60_000 - 1);
    expect(await keys.generate(CONNECTION)).toBe(first);
    expect(asked('GenerateDataKey')).toBe(1);

    clock.advance(1);
    expect(reveal((await keys.generate(CONNECTION)).plaintext)).not.toBe(reveal(first.plaintext));
    expect(asked('GenerateDataKey')).toBe(2);
  });

  it('gives each connection and each use a key of its own', async () => {
    const made = await Promise.all([
      keys.generate(CONNECTION),
      keys.generate('other'),
      keys.generate(CONNECTION, 'closed'),
      keys.generate(CONNECTION, 'kept'),
    ]);

    expect(new Set(made.map(({ plaintext }) => reveal(plaintext))).size).toBe(4);
  });

  it('asks KMS once for callers that overlap', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => keys.generate(CONNECTION)));

    expect(new Set(made).size).toBe(1);
    expect(asked('GenerateDataKey')).toBe(1);
  });

  it('does not remember that KMS was down, and seals with what it keeps while it is (invariant 11)', async () => {
    under.aws.faults.set('kms', { mode: 'down' });
    await expect(keys.generate(CONNECTION)).rejects.toMatchObject({ code: 'kms_unavailable' });
    under.aws.faults.clear();
    const made = await keys.generate(CONNECTION);
    under.aws.faults.set('kms', { mode: 'down' });

    expect(await keys.generate(CONNECTION)).toBe(made);
  });

  it('never shows the key', async () => {
    const { plaintext } = await keys.generate(CONNECTION);

    expect(`${plaintext} ${JSON.stringify({ plaintext })}`).toBe('[secret] {"plaintext":"[secret]"}');
  });
});

describe('decrypt', () => {
  it.each([
    ['another connection', 'other', 'token'],
    ['another use', CONNECTION, 'closed'],
  ] as const)('knows no key that was made for %s (invariant 8), kept or not', async (_, other, use) => {
    const { encrypted, plaintext } = await keys.generate(CONNECTION);

    expect(await keys.decrypt(other, encrypted, use)).toBeUndefined();
    expect(reveal(await keys.decrypt(CONNECTION, encrypted))).toBe(reveal(plaintext));
    expect(await keys.decrypt(other, encrypted, use)).toBeUndefined();
  });

  it('knows no key of another broker', async () => {
    const { encrypted } = await keysOf('broker-2').generate(CONNECTION);

    expect(await keys.decrypt(CONNECTION, encrypted)).toBeUndefined();
  });

  it('knows no key that was changed, or was encrypted under another KMS key', async () => {
    const { encrypted } = await keys.generate(CONNECTION);
    const changed = Uint8Array.from(encrypted);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const elsewhere = await startAwsUnderTest(randomBytes(32));
    const otherClient = createKmsClient(elsewhere.environment);
    const requests = createKmsRequests({ client: otherClient, keyId: 'alias/token-broker' });
    const others = createKmsKeys({ requests, broker: 'broker-1', clock });
    const foreign = (await others.generate(CONNECTION)).encrypted;
    otherClient.destroy();
    await elsewhere.aws.close();

    for (const blob of [changed, foreign]) expect(await keys.decrypt(CONNECTION, blob)).toBeUndefined();
  });

  it.each([
    ['an empty key', 0],
    ['a key longer than KMS takes', 6_145],
  ])('knows %s to be none of its own, and does not ask KMS', async (_what, bytes) => {
    under.aws.faults.set('kms', { mode: 'down' });

    expect(await keys.decrypt(CONNECTION, new Uint8Array(bytes))).toBeUndefined();
    expect(asked('Decrypt')).toBe(0);
  });

  it.each([1, 6_144])('asks KMS about a key of %i bytes', async (bytes) => {
    expect(await keys.decrypt(CONNECTION, new Uint8Array(bytes))).toBeUndefined();
    expect(asked('Decrypt')).toBe(1);
  });

  it('lets KMS use no other key than the configured one', async () => {
    const bodies: string[] = [];
    const recorder = await startLoopbackServer({
      maxBodyBytes: 10_000,
      answer: async ({ body }) => {
        bodies.push(body.toString('utf8'));
        return { status: 400, headers: {}, body: '{"__type":"IncorrectKeyException"}' };
      },
    });
    const recorded = createKmsClient(environmentFor(recorder.endpoint));
    const requests = createKmsRequests({ client: recorded, keyId: 'alias/mine' });
    const own = createKmsKeys({ requests, broker: 'broker-1', clock });

    expect(await own.decrypt(CONNECTION, Uint8Array.of(1))).toBeUndefined();
    recorded.destroy();
    await recorder.close();
    expect(bodies.map((body) => JSON.parse(body))).toEqual([expect.objectContaining({ KeyId: 'alias/mine' })]);
  });

  it('asks KMS once in five minutes', async () => {
    const { encrypted } = await keys.generate(CONNECTION);
    await keys.decrypt(CONNECTION, encrypted);
    clock.advance(5 * 60_000 - 1);
    await keys.decrypt(CONNECTION, Uint8Array.from(encrypted));
    expect(asked('Decrypt')).toBe(1);

    clock.advance(1);
    await keys.decrypt(CONNECTION, encrypted);
    expect(asked('Decrypt')).toBe(2);
  });

  it('asks KMS again when the clock went back', async () => {
    const { encrypted } = await keys.generate(CONNECTION);
    await keys.decrypt(CONNECTION, encrypted);
    clock.advance(-60_000);
    await keys.decrypt(CONNECTION, encrypted);

    expect(asked('Decrypt')).toBe(2);
  });

  it('asks KMS once for callers that overlap', async () => {
    const { encrypted, plaintext } = await keys.generate(CONNECTION);
    const decrypted = await Promise.all(Array.from({ length: 20 }, () => keys.decrypt(CONNECTION, encrypted)));

    expect(new Set(decrypted.map(reveal))).toEqual(new Set([reveal(plaintext)]));
    expect(asked('Decrypt')).toBe(1);
  });

  it('serves what it keeps while KMS is down (invariant 11)', async () => {
    const { encrypted, plaintext } = await keys.generate(CONNECTION);
    await keys.decrypt(CONNECTION, encrypted);
    under.aws.faults.set('kms', { mode: 'down' });

    expect(reveal(await keys.decrypt(CONNECTION, encrypted))).toBe(reveal(plaintext));
  });

  it('does not remember that a key could not be decrypted', async () => {
    const { encrypted, plaintext } = await keys.generate(CONNECTION);
    under.aws.faults.set('kms', { mode: 'deny', count: 1 });
    await expect(keys.decrypt(CONNECTION, encrypted)).rejects.toMatchObject({ code: 'kms_unavailable' });

    expect(reveal(await keys.decrypt(CONNECTION, encrypted))).toBe(reveal(plaintext));
  });
});

it.each(['down', 'throttle', 'deny', 'reset'] as const)(
  'is unavailable, and says no more, when KMS is: %s',
  async (mode) => {
    const { encrypted }: DataKey = await keys.generate(CONNECTION);
    under.aws.faults.set('kms', { mode });

    for (const attempt of [() => keys.generate('another'), () => keys.decrypt(CONNECTION, encrypted)]) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'kms_unavailable' });
      expect((error as Error).cause).toBeUndefined();
      expect(String(error)).not.toMatch(/arn:|helpdesk|a fault/);
    }
  },
);

it('is unavailable where the KMS key does not exist', async () => {
  await expect(keysOf('broker-1', 'alias/none').generate(CONNECTION)).rejects.toMatchObject({
    code: 'kms_unavailable',
  });
});
