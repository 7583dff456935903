import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startDynamodbFaultProxy } from '../../../local/aws/dynamodb-faults.ts';
import { clientConfig, type Harness, refusalOf, startHarness } from './sdk-clients.ts';

// The other properties of the faults show in the tests that use them.
describe('faults', () => {
  it.each([
    ['down', 'InternalServerError', 'InternalServiceError', 'KMSInternalException', 'ServiceException'],
    [
      'throttle',
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'ThrottlingException',
      'TooManyRequestsException',
    ],
    ['deny', 'AccessDeniedException', 'AccessDeniedException', 'AccessDeniedException', 'AccessDeniedException'],
  ] as const)('%s is answered in the words of each service', async (mode, ofStore, ofSecrets, ofKms, ofLambda) => {
    const harness = await startHarness();
    const { faults } = harness.aws;
    for (const service of ['secretsmanager', 'kms', 'lambda'] as const) faults.set(service, { mode });
    const { proxy, read } = await startProxy();
    proxy.faults.set('dynamodb', { mode });

    expect((await refusalOf(read())).name).toBe(ofStore);
    expect((await refusalOf(getSecret(harness))).name).toBe(ofSecrets);
    expect((await refusalOf(makeKey(harness))).name).toBe(ofKms);
    expect((await refusalOf(harness.lambda.send(new InvokeCommand({ FunctionName: 'mint' })))).name).toBe(ofLambda);
  });

  it('hang is never answered, and does not hold up the close', async () => {
    const harness = await startHarness();
    harness.aws.faults.set('kms', { mode: 'hang' });
    const asked = makeKey(harness).catch(() => 'ended');
    await expect.poll(harness.aws.faults.counts).toEqual({ 'kms.GenerateDataKey': 1 });
    // Fake timers: the grace period of the close for requests in flight never runs out.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await harness.aws.close();
    expect(await asked).toBe('ended');
  });

  it('reset of the DynamoDB proxy is also what comes of a DynamoDB that is gone', async () => {
    expect((await refusalOf((await startProxy()).read())).status).toBeUndefined();
  });
});

async function startProxy() {
  const proxy = await startDynamodbFaultProxy('http://127.0.0.1:1');
  const client = new DynamoDBClient(clientConfig(proxy.endpoint));
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
  });
  return { proxy, read: () => client.send(new GetItemCommand({ TableName: 'slots', Key: { pk: { S: 'a' } } })) };
}

const getSecret = ({ secretsManager }: Harness) =>
  secretsManager.send(new GetSecretValueCommand({ SecretId: 'token-broker/helpdesk' }));
const makeKey = ({ kms }: Harness) =>
  kms.send(new GenerateDataKeyCommand({ KeyId: 'alias/token-broker', KeySpec: 'AES_256' }));

describe('the loopback endpoint', () => {
  const target = { 'x-amz-target': 'secretsmanager.GetSecretValue' };
  const body = '{"SecretId":"token-broker/helpdesk"}';

  it('listens on 127.0.0.1', async () => {
    expect((await startHarness()).aws.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('answers nothing that a web page could ask', async () => {
    const { aws, secrets } = await startHarness();
    secrets.put('helpdesk', { apiKey: 'k' });
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
    const { aws } = await startHarness();
    const answer = await fetch(aws.endpoint, { method: 'POST', headers, body: content });

    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('hunter2');
  });

  it('outlives a client that goes away in mid-body', async () => {
    const harness = await startHarness();
    const { hostname, port } = new URL(harness.aws.endpoint);
    const socket = connect(Number(port), hostname);
    socket.write(`POST / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 100\r\n\r\nabc`, () =>
      socket.resetAndDestroy(),
    );
    await new Promise((resolve) => socket.once('close', resolve));

    harness.secrets.put('helpdesk', { apiKey: 'k' });
    expect((await getSecret(harness)).SecretString).toBe('{"apiKey":"k"}');
  });
});
