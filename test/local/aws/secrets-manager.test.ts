import { DescribeSecretCommand, GetSecretValueCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { refusalOf, startHarness } from './sdk-clients.ts';

describe('the loopback Secrets Manager', () => {
  it('answers a secret by name with its version', async () => {
    const { secrets, secretsManager } = await startHarness();
    secrets.put('helpdesk', { apiKey: 'k' });

    const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId: 'token-broker/helpdesk' }));

    expect(answer).toMatchObject({
      Name: 'token-broker/helpdesk',
      SecretString: '{"apiKey":"k"}',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: new Date(1_800_000_000_123),
    });
    expect(answer.VersionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.ARN).toMatch(
      /^arn:aws:secretsmanager:us-east-1:000000000000:secret:token-broker\/helpdesk-[0-9a-f]{6}$/,
    );
  });

  it('finds a secret by its ARN, with and without the random suffix', async () => {
    const { secrets, secretsManager } = await startHarness();
    secrets.put('helpdesk', { apiKey: 'k' });
    const { ARN } = await secretsManager.send(new DescribeSecretCommand({ SecretId: 'token-broker/helpdesk' }));
    if (ARN === undefined) throw new Error('no ARN');

    for (const SecretId of [ARN, ARN.slice(0, -7)]) {
      const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
      expect(answer).toMatchObject({ ARN, Name: 'token-broker/helpdesk', SecretString: '{"apiKey":"k"}' });
    }
  });

  it('finds a secret whose configured name is an ARN', async () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/help-AbCdEf';
    const { secretsManager } = await startHarness({
      secrets: { current: (name) => (name === arn ? { value: 'v', versionId: 'i', createdAt: 0 } : undefined) },
    });

    const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId: arn }));
    expect(answer).toMatchObject({ ARN: arn, Name: 'prod/help', SecretString: 'v' });
  });

  it('answers a new version after a rotation', async () => {
    const { secrets, secretsManager } = await startHarness();
    const command = new GetSecretValueCommand({ SecretId: 'token-broker/helpdesk' });
    secrets.put('helpdesk', { apiKey: 'one' });
    const before = await secretsManager.send(command);
    secrets.put('helpdesk', { apiKey: 'two' });
    const after = await secretsManager.send(command);

    expect(after.SecretString).toBe('{"apiKey":"two"}');
    expect(after.VersionId).not.toBe(before.VersionId);
  });

  it('says in the words of AWS that there is no secret, no value, no such version', async () => {
    const { secrets, secretsManager } = await startHarness();
    secrets.empty('bare');
    secrets.put('full', { apiKey: 'k' });
    const get = (input: ConstructorParameters<typeof GetSecretValueCommand>[0]) =>
      refusalOf(secretsManager.send(new GetSecretValueCommand(input)));
    const name = 'ResourceNotFoundException';

    expect(await get({ SecretId: 'token-broker/none' })).toEqual({
      name,
      message: "Secrets Manager can't find the specified secret.",
      status: 400,
    });
    expect(await get({ SecretId: 'token-broker/bare' })).toMatchObject({
      name,
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
    expect(await get({ SecretId: 'token-broker/full', VersionStage: 'AWSPREVIOUS' })).toMatchObject({
      name,
      message: "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    });
    expect(await get({ SecretId: 'token-broker/full', VersionId: 'other' })).toMatchObject({ name });
  });

  it('describes a secret without its value', async () => {
    const { secrets, secretsManager } = await startHarness();
    secrets.put('helpdesk', { apiKey: 'k' });
    secrets.empty('bare');

    const answer = await secretsManager.send(new DescribeSecretCommand({ SecretId: 'token-broker/helpdesk' }));
    expect(Object.values(answer.VersionIdsToStages ?? {})).toEqual([['AWSCURRENT']]);
    expect(JSON.stringify(answer)).not.toContain('apiKey');
    const bare = await secretsManager.send(new DescribeSecretCommand({ SecretId: 'token-broker/bare' }));
    expect(bare.VersionIdsToStages).toBeUndefined();
  });

  it('refuses an operation that it does not have', async () => {
    const { secretsManager } = await startHarness();

    expect(await refusalOf(secretsManager.send(new ListSecretsCommand({})))).toMatchObject({
      name: 'UnknownOperationException',
    });
  });
});
