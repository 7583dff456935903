import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCandidates } from '../../../../functions/adapters/aws/candidates.ts';
import {
  createSecretsManagerClient,
  createSecretsManagerSecrets,
} from '../../../../functions/adapters/aws/secrets-manager.ts';
import type { Secrets, SecretVersion } from '../../../../functions/core/mint/secrets.ts';
import { startLoopbackServer } from '../../../../local/aws/loopback-server.ts';
import { createTestClock, environmentFor, startAwsUnderTest } from './aws-under-test.ts';
import { retryAtOnce } from './retry-at-once.ts';

const NAME = 'token-broker/helpdesk';
const FRESH_MS = 5_000;

retryAtOnce();

let clock: ReturnType<typeof createTestClock>;
let secrets: Secrets;

function current(knownVersion?: string): Promise<SecretVersion> {
  return secrets.current({ secret: NAME, maxAgeMs: FRESH_MS, ...(knownVersion !== undefined && { knownVersion }) });
}

function requests(): number {
  return under.aws.faults.counts()['secretsmanager.GetSecretValue'] ?? 0;
}

async function failureOf(secret: string): Promise<string> {
  const error: unknown = await secrets.current({ secret, maxAgeMs: 0 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'secret_unavailable' });
  expect((error as Error).cause).toBeUndefined();
  expect(String(error)).not.toMatch(/arn:|value-1/);
  return (error as { detail: string }).detail;
}

const under = await startAwsUnderTest();
const client = createSecretsManagerClient(under.environment);
beforeEach(() => {
  clock = createTestClock();
  secrets = createSecretsManagerSecrets({ client, clock });
  under.secrets.put(NAME, 'value-1');
  under.aws.faults.resetCounts();
});
afterEach(() => under.aws.faults.clear());
afterAll(async () => {
  client.destroy();
  await under.aws.close();
});

describe('current', () => {
  it('gives value and version, and shows no value', async () => {
    const version = await current();

    expect(version.value.reveal()).toBe('value-1');
    expect(version.versionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(version)).not.toContain('value-1');
  });

  it('gives the copy while it is younger than asked for', async () => {
    await current();
    clock.advance(FRESH_MS - 1);
    await current();
    expect(requests()).toBe(1);

    clock.advance(1);
    await current();
    expect(requests()).toBe(2);
  });

  it('sees a rotation as soon as the copy is too old', async () => {
    await current();
    under.secrets.put(NAME, 'value-2');
    expect((await current()).value.reveal()).toBe('value-1');

    clock.advance(FRESH_MS);
    expect((await current()).value.reveal()).toBe('value-2');
  });

  it('gives a copy of up to a minute where its version is the known one', async () => {
    const { versionId } = await current();
    clock.advance(60_000);
    await current(versionId);
    expect(requests()).toBe(1);

    clock.advance(1);
    await current(versionId);
    expect(requests()).toBe(2);
  });

  it('gives no older copy where its version is not the known one', async () => {
    await current();
    clock.advance(FRESH_MS);
    await current('another-version');

    expect(requests()).toBe(2);
  });

  it('keeps no copy for longer than a minute, whatever is asked for', async () => {
    await current();
    clock.advance(60_001);
    await secrets.current({ secret: NAME, maxAgeMs: 3_600_000 });

    expect(requests()).toBe(2);
  });

  it('believes no copy from before the clock went back', async () => {
    const { versionId } = await current();
    clock.advance(-1);
    await current(versionId);

    expect(requests()).toBe(2);
  });

  it('asks once for callers that overlap', async () => {
    const versions = await Promise.all(Array.from({ length: 20 }, () => current()));

    expect(new Set(versions.map(({ versionId }) => versionId)).size).toBe(1);
    expect(requests()).toBe(1);
  });

  it('joins no request that was sent too long ago', async () => {
    const early = current();
    clock.advance(FRESH_MS);
    await Promise.all([early, current()]);

    expect(requests()).toBe(2);
  });

  it('keeps the copy that was asked for last, whichever answer comes last', async () => {
    const lateAnswer = Promise.withResolvers<void>();
    let asked = 0;
    const slow = await startLoopbackServer({
      maxBodyBytes: 10_000,
      answer: async () => {
        asked += 1;
        const version = `version-${asked}`;
        if (asked === 1) await lateAnswer.promise;
        return { status: 200, headers: {}, body: JSON.stringify({ VersionId: version, SecretString: version }) };
      },
    });
    const own = createSecretsManagerClient(environmentFor(slow.endpoint));
    secrets = createSecretsManagerSecrets({ client: own, clock });
    const early = current();
    await expect.poll(() => asked).toBe(1);
    clock.advance(FRESH_MS);
    await current();
    lateAnswer.resolve();
    expect((await early).versionId).toBe('version-1');

    clock.advance(FRESH_MS - 1);
    expect((await current()).versionId).toBe('version-2');
    expect(asked).toBe(2);
    own.destroy();
    await slow.close();
  });

  it('reads what was put as bytes as UTF-8 (C3)', async () => {
    const value = '{"apiKey":"schlüssel"}';
    const SecretBinary = Buffer.from(value).toString('base64');
    const server = await startLoopbackServer({
      maxBodyBytes: 10_000,
      answer: async () => ({
        status: 200,
        headers: {},
        body: JSON.stringify({ VersionId: 'version-1', SecretBinary }),
      }),
    });
    const own = createSecretsManagerClient(environmentFor(server.endpoint));
    const version = await createSecretsManagerSecrets({ client: own, clock }).current({ secret: NAME, maxAgeMs: 0 });
    const candidate = await createCandidates({ client: own }).find(NAME);

    expect([version.value.reveal(), candidate?.value.reveal()]).toEqual([value, value]);
    own.destroy();
    await server.close();
  });

  it('keeps secrets apart', async () => {
    under.secrets.put('token-broker/wfm', 'value-3');
    const [one, other] = await Promise.all([current(), secrets.current({ secret: 'token-broker/wfm', maxAgeMs: 1 })]);

    expect([one.value.reveal(), other.value.reveal()]).toEqual(['value-1', 'value-3']);
  });

  it('goes on with a copy that may serve while Secrets Manager is down, also after a failure', async () => {
    const { versionId } = await current();
    clock.advance(FRESH_MS);
    under.aws.faults.set('secretsmanager', { mode: 'down' });
    await failureOf(NAME);

    expect((await current(versionId)).value.reveal()).toBe('value-1');
  });

  it('remembers no failure', async () => {
    under.aws.faults.set('secretsmanager', { mode: 'deny', count: 1 });
    await failureOf(NAME);

    expect((await current()).value.reveal()).toBe('value-1');
  });
});

describe('an unavailable secret', () => {
  it.each([
    ['does not exist', () => under.secrets.remove('token-broker/new')],
    ['has no value', () => under.secrets.empty('token-broker/new')],
    ['has an empty value', () => under.secrets.put('token-broker/new', '  ')],
  ])('is named with the command that sets it when it %s', async (_, arrange) => {
    arrange();

    const failure = await failureOf('token-broker/new');
    expect(failure).toContain('token-broker/new does not exist or has no value');
    expect(failure).toContain(
      'aws secretsmanager put-secret-value --secret-id token-broker/new --secret-string file://',
    );
    expect(failure).toContain('aws secretsmanager create-secret --name token-broker/new --secret-string file://');
  });

  it('is named by its name where it is configured by ARN', async () => {
    const arn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:token-broker/none-AbC123';

    expect(await failureOf(arn)).toContain('--secret-id token-broker/none --secret-string');
  });

  it.each(['down', 'throttle', 'deny', 'reset'] as const)(
    'is unavailable when Secrets Manager is: %s',
    async (mode) => {
      under.aws.faults.set('secretsmanager', { mode });

      expect(await failureOf(NAME)).toMatch(
        mode === 'deny' ? /may not read the secret token-broker\/helpdesk/ : /try again/,
      );
    },
  );
});
