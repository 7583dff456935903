import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FaultMode } from '../../../local/aws/loopback-aws.ts';
import { type Harness, refusalOf, startHarness } from './sdk-clients.ts';

const handler = vi.fn(async () => 'minted');

async function start(): Promise<Harness> {
  handler.mockClear();
  const harness = await startHarness({ functions: new Map([['mint', { handler, timeoutMs: 1_000 }]]) });
  harness.secrets.put('helpdesk', { apiKey: 'k' });
  return harness;
}

const getSecret = ({ secretsManager }: Harness) =>
  secretsManager.send(new GetSecretValueCommand({ SecretId: 'token-broker/helpdesk' }));
const makeKey = ({ kms }: { kms: KMSClient }, abortSignal?: AbortSignal) =>
  kms.send(
    new GenerateDataKeyCommand({ KeyId: 'alias/token-broker', KeySpec: 'AES_256' }),
    abortSignal === undefined ? {} : { abortSignal },
  );
const invoke = ({ lambda }: Harness) => lambda.send(new InvokeCommand({ FunctionName: 'mint' }));

describe('faults', () => {
  it.each([
    ['down', 'InternalServiceError', 'KMSInternalException', 'ServiceException', 500],
    ['throttle', 'ThrottlingException', 'ThrottlingException', 'TooManyRequestsException', 429],
    ['deny', 'AccessDeniedException', 'AccessDeniedException', 'AccessDeniedException', 403],
  ] as const)(
    '%s is answered in the words of each service, and nothing is done',
    async (mode, ofSecrets, ofKms, ofLambda, lambdaStatus) => {
      const harness = await start();
      const { faults } = harness.aws;
      for (const service of ['secretsmanager', 'kms', 'lambda'] as const) faults.set(service, { mode });

      expect((await refusalOf(getSecret(harness))).name).toBe(ofSecrets);
      expect((await refusalOf(makeKey(harness))).name).toBe(ofKms);
      expect(await refusalOf(invoke(harness))).toMatchObject({ name: ofLambda, status: lambdaStatus });
      expect(handler).not.toHaveBeenCalled();

      faults.clear();
      await Promise.all([getSecret(harness), makeKey(harness), invoke(harness)]);
    },
  );

  it('touch the service that they are set for alone', async () => {
    const harness = await start();
    harness.aws.faults.set('kms', { mode: 'down' });

    await getSecret(harness);
    await invoke(harness);
    expect((await refusalOf(makeKey(harness))).name).toBe('KMSInternalException');
  });

  it('end after their count', async () => {
    const harness = await start();
    harness.aws.faults.set('kms', { mode: 'throttle', count: 2 });

    expect((await refusalOf(makeKey(harness))).name).toBe('ThrottlingException');
    expect((await refusalOf(makeKey(harness))).name).toBe('ThrottlingException');
    expect((await makeKey(harness)).Plaintext).toHaveLength(32);
  });

  it('can be limited to an operation, and others do not use up the count', async () => {
    const harness = await start();
    const { CiphertextBlob } = await makeKey(harness);
    harness.aws.faults.set('kms', { mode: 'down', operation: 'Decrypt', count: 1 });

    await makeKey(harness);
    const decrypt = new DecryptCommand({ CiphertextBlob });
    expect((await refusalOf(harness.kms.send(decrypt))).name).toBe('KMSInternalException');
    await harness.kms.send(decrypt);
  });

  it.each<[FaultMode, number]>([
    ['reset', 0],
    ['lose-reply', 1],
  ])('%s ends the connection without an answer, having run the function %i times', async (mode, runs) => {
    const harness = await start();
    harness.aws.faults.set('lambda', { mode, count: 1 });

    expect((await refusalOf(invoke(harness))).status).toBeUndefined();
    expect(handler).toHaveBeenCalledTimes(runs);
    await invoke(harness);
  });

  it('hang is never answered, and does not hold up the close', async () => {
    const harness = await start();
    harness.aws.faults.set('kms', { mode: 'hang' });
    const abandoned = new AbortController();
    const answered = vi.fn();

    const first = makeKey(harness, abandoned.signal).then(answered, (error: Error) => error.name);
    const second = makeKey(harness).then(answered, () => 'ended');
    await expect.poll(harness.aws.faults.counts).toEqual({ 'kms.GenerateDataKey': 2 });
    abandoned.abort();
    expect(await first).toBe('AbortError');
    // Fake timers: the grace period of the close for requests in flight never runs out.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await harness.aws.close();
    expect(await second).toBe('ended');
    expect(answered).not.toHaveBeenCalled();
  });

  it('leave the counts by operation, of faulty requests too', async () => {
    const harness = await start();
    harness.aws.faults.set('lambda', { mode: 'throttle', count: 1 });
    await getSecret(harness);
    await makeKey(harness);
    await refusalOf(invoke(harness));
    await invoke(harness);

    expect(harness.aws.faults.counts()).toEqual({
      'secretsmanager.GetSecretValue': 1,
      'kms.GenerateDataKey': 1,
      'lambda.Invoke': 2,
    });
    harness.aws.faults.resetCounts();
    expect(harness.aws.faults.counts()).toEqual({});
  });
});

describe('the loopback endpoint', () => {
  const target = { 'x-amz-target': 'secretsmanager.GetSecretValue' };
  const body = '{"SecretId":"token-broker/helpdesk"}';

  it('listens on 127.0.0.1', async () => {
    expect((await start()).aws.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('answers nothing that a web page could ask', async () => {
    const { aws } = await start();
    const { hostname, port } = new URL(aws.endpoint);
    const foreign = await fetch(aws.endpoint, {
      method: 'POST',
      headers: { ...target, origin: 'https://evil.example' },
      body,
    });
    expect([foreign.status, await foreign.text()]).toEqual([403, '']);

    const socket = connect(Number(port), hostname);
    socket.end(
      `POST / HTTP/1.1\r\nHost: evil.example:${port}\r\nX-Amz-Target: ${target['x-amz-target']}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    const rebound = await text(socket);
    expect(rebound).toMatch(/^HTTP\/1\.1 403 /);
    expect(rebound).not.toContain('apiKey');
  });

  it.each([
    ['what is not JSON', { ...target }, '{"SecretId": hunter2', 400],
    ['what is too large for JSON', { ...target }, `"${'x'.repeat(70_000)}"`, 400],
    ['a wrong type', { ...target }, '{"SecretId": 5}', 400],
    ['an unknown service', { 'x-amz-target': 'DynamoDB_20120810.GetItem' }, '{}', 400],
    ['no operation', { 'x-amz-target': 'secretsmanager' }, '{}', 400],
    ['more than any payload', { ...target }, 'x'.repeat(7 * 1024 * 1024), 413],
  ])('refuses %s without repeating it', async (_what, headers, content, status) => {
    const { aws } = await start();
    const answer = await fetch(aws.endpoint, { method: 'POST', headers, body: content });

    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('hunter2');
  });

  it('outlives a client that goes away in mid-body', async () => {
    const harness = await start();
    const { hostname, port } = new URL(harness.aws.endpoint);
    const socket = connect(Number(port), hostname);
    socket.write(`POST / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 100\r\n\r\nabc`, () =>
      socket.resetAndDestroy(),
    );
    await new Promise((resolve) => socket.once('close', resolve));

    expect((await getSecret(harness)).SecretString).toBe('{"apiKey":"k"}');
  });
});
