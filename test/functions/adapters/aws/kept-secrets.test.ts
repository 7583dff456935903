import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeptSecrets, createKeptSecretsClient } from '../../../../functions/adapters/aws/kept-secrets.ts';
import type { KeptSecrets, SecretVersion } from '../../../../functions/core/mint/secrets.ts';
import { Secret } from '../../../../functions/core/words/secret.ts';
import { createMemoryKeptSecrets } from '../../../../local/aws/kept-secret-store.ts';
import { type LoopbackAws, startLoopbackAws } from '../../../../local/aws/loopback-aws.ts';
import { createMemorySecrets } from '../../../../local/secret-source.ts';
import { environmentFor } from './aws-under-test.ts';
import { retryAtOnce } from './retry-at-once.ts';

const NAME = 'token-broker/books/kept';

retryAtOnce();

let aws: LoopbackAws;
let client: ReturnType<typeof createKeptSecretsClient>;
let kept: KeptSecrets;

beforeEach(async () => {
  const secrets = createMemorySecrets({ versionKey: randomBytes(32) });
  secrets.put('books', { refreshToken: 'own' });
  const masterKey = randomBytes(32);
  aws = await startLoopbackAws({ secrets, kept: createMemoryKeptSecrets([NAME]), masterKey, functions: new Map() });
  client = createKeptSecretsClient(environmentFor(aws.endpoint));
  kept = createKeptSecrets({ client });
});
afterEach(async () => {
  client.destroy();
  await aws.close();
});

const version = (name: string, text = name): SecretVersion => ({
  versionId: name.repeat(64).slice(0, 64),
  value: new Secret(text),
});
const [A, B, C] = [version('a'), version('b'), version('c')];

/** The values that the secret has now, by what they are. */
async function values(): Promise<object> {
  const found = Object.entries(await kept.read(NAME)).flatMap(([name, each]) =>
    each === undefined ? [] : [[name, each.value.reveal()]],
  );
  return Object.fromEntries(found);
}

describe('a kept secret', () => {
  it('is empty at first, and its first version is current from the start', async () => {
    expect(await values()).toEqual({});
    await kept.write(NAME, A);

    expect(await kept.promote(NAME, A.versionId, undefined)).toBe(true);
    expect(await values()).toMatchObject({ current: 'a' });
  });

  it('has a version that is written beside the current one until it is promoted', async () => {
    await kept.write(NAME, A);
    await kept.write(NAME, B);
    expect(await values()).toEqual({ current: 'a', next: 'b' });

    expect(await kept.promote(NAME, B.versionId, A.versionId)).toBe(true);
    expect(await values()).toEqual({ previous: 'a', current: 'b', next: 'b' });
  });

  it('refuses a version that was read before another became current', async () => {
    await kept.write(NAME, A);
    await kept.write(NAME, B);
    await kept.promote(NAME, B.versionId, A.versionId);
    await kept.write(NAME, C);

    expect(await kept.promote(NAME, C.versionId, A.versionId)).toBe(false);
    expect(await values()).toMatchObject({ current: 'b' });
  });

  it('takes the same version twice for one, and no other value under its id', async () => {
    await kept.write(NAME, A);
    await kept.write(NAME, A);

    await expect(kept.write(NAME, version('a', 'other'))).rejects.toMatchObject({ code: 'secret_unavailable' });
    expect(await values()).toMatchObject({ current: 'a' });
  });

  it('is written once although the reply is lost, and promoted once', async () => {
    aws.faults.set('secretsmanager', { mode: 'lose-reply', count: 1, operation: 'PutSecretValue' });
    await kept.write(NAME, A);
    await kept.write(NAME, B);
    aws.faults.set('secretsmanager', { mode: 'lose-reply', count: 1, operation: 'UpdateSecretVersionStage' });

    expect(await kept.promote(NAME, B.versionId, A.versionId)).toBe(true);
    expect(await values()).toMatchObject({ previous: 'a', current: 'b' });
  });

  it.each(['down', 'throttle', 'deny'] as const)('is unavailable while Secrets Manager is %s', async (mode) => {
    await kept.write(NAME, A);
    aws.faults.set('secretsmanager', { mode });
    for (const asked of [kept.read(NAME), kept.write(NAME, B), kept.promote(NAME, B.versionId, A.versionId)]) {
      const error: unknown = await asked.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'secret_unavailable' });
      expect((error as Error).cause).toBeUndefined();
      expect(String(error)).not.toContain('arn:');
    }
  });

  it('that was never made is named, with the remedy', async () => {
    await expect(kept.read('token-broker/other/kept')).rejects.toMatchObject({
      code: 'secret_unavailable',
      detail: expect.stringContaining('There is no secret token-broker/other/kept'),
    });
  });

  it("is none of the operator's, which nobody writes here", async () => {
    await expect(kept.write('token-broker/books', A)).rejects.toMatchObject({ code: 'secret_unavailable' });
  });
});
