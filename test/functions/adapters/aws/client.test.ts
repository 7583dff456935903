import type { IncomingHttpHeaders } from 'node:http';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DecryptCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { awsClientConfig } from '../../../../functions/adapters/aws/client.ts';
import { createKmsClient } from '../../../../functions/adapters/aws/kms.ts';
import { createLambdaClient } from '../../../../functions/adapters/aws/lambda-mint.ts';
import { createSecretsManagerClient } from '../../../../functions/adapters/aws/secrets-manager.ts';
import { createDynamodbClient } from '../../../../functions/adapters/dynamodb/client.ts';
import { startLoopbackServer } from '../../../../local/aws/loopback-server.ts';
import { environmentFor } from './aws-under-test.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'key' };

describe('awsClientConfig', () => {
  it('takes region, keys and endpoint from the environment', async () => {
    const config = awsClientConfig(
      { service: 'KMS' },
      { ...KEYS, AWS_SESSION_TOKEN: 'session', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    );

    expect(config).toMatchObject({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' });
    expect(await config.credentials?.()).toEqual({
      accessKeyId: 'AKID',
      secretAccessKey: 'key',
      sessionToken: 'session',
    });
  });

  it("prefers a service's own endpoint, and no other service's", () => {
    const environment = { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_DYNAMODB: 'http://dynamodb' };

    expect(awsClientConfig({ service: 'DYNAMODB' }, environment).endpoint).toBe('http://dynamodb');
    expect(awsClientConfig({ service: 'SECRETS_MANAGER' }, environment).endpoint).toBe('http://all');
  });

  it('leaves to the SDK what the environment lacks', () => {
    const config = awsClientConfig({ service: 'LAMBDA' }, { AWS_ACCESS_KEY_ID: 'AKID' });

    for (const name of ['region', 'endpoint', 'credentials']) expect(config).not.toHaveProperty(name);
  });

  it('gives up early: 1 s to connect, 2 s to answer, three attempts', () => {
    expect(awsClientConfig({ service: 'KMS' }, {})).toMatchObject({
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
    });
  });
});

describe('the clients', () => {
  it.each([
    ['DynamoDB', createDynamodbClient, 3],
    ['KMS', createKmsClient, 3],
    ['Secrets Manager', createSecretsManagerClient, 3],
    ['Lambda, where a second attempt could log in again', createLambdaClient, 1],
  ])('sign with the keys of the environment and try so often: %s', async (_, create, attempts) => {
    const client = create({ ...KEYS, AWS_REGION: 'eu-west-1' });

    expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKID' });
    expect(await client.config.region()).toBe('eu-west-1');
    expect(await client.config.maxAttempts()).toBe(attempts);
    client.destroy();
  });

  it("of a cold start ask under the broker's name alone", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = await startLoopbackServer({
      maxBodyBytes: 10_000,
      answer: async ({ headers }) => {
        seen.push(headers);
        return { status: 200, headers: {}, body: '{}' };
      },
    });
    const environment = environmentFor(server.endpoint);
    const dynamodb = createDynamodbClient(environment);
    const kms = createKmsClient(environment);
    const secrets = createSecretsManagerClient(environment);

    await dynamodb.send(new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'a' }, sk: { S: 'b' } } }));
    await kms.send(new DecryptCommand({ CiphertextBlob: new Uint8Array(1) }));
    await secrets.send(new GetSecretValueCommand({ SecretId: 'secret' }));

    for (const client of [dynamodb, kms, secrets]) client.destroy();
    await server.close();
    expect(seen).toHaveLength(3);
    for (const headers of seen) {
      expect(headers['user-agent']).toMatch(/^token-broker\/\d/);
      expect(headers).not.toHaveProperty('x-amz-user-agent');
    }
  });
});
