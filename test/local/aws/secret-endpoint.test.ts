import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, it } from 'vitest';
import { CANDIDATE_STAGE } from '../../../functions/adapters/aws/candidates.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';
import { clientConfig, refusalOf } from './sdk-clients.ts';

const system = await startSystemUnderTest({
  connections: {
    desk: { provider: 'helpmaster', baseUrl: 'https://desk.example' },
    books: { provider: 'oauth-refresh-token', baseUrl: 'https://books.example' },
  },
  secrets: { desk: { apiKey: 'one' }, books: { refreshToken: 'r' } },
});
const client = new SecretsManagerClient(clientConfig(system.url));
afterAll(async () => {
  client.destroy();
  await system.close();
});

const SecretId = 'token-broker/desk';
const candidate = { SecretId, SecretString: '{"apiKey":"two"}', VersionStages: [CANDIDATE_STAGE] };

describe('Secrets Manager beside the API of `npm start`', () => {
  it('takes a candidate and tells its labels, and the current value stays', async () => {
    const { VersionId = '', VersionStages } = await client.send(new PutSecretValueCommand(candidate));
    expect(VersionStages).toEqual([CANDIDATE_STAGE]);
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(Object.values(VersionIdsToStages)).toEqual([['AWSCURRENT'], [CANDIDATE_STAGE]]);
    expect(VersionIdsToStages[VersionId]).toEqual([CANDIDATE_STAGE]);
    expect(system.secrets.current(SecretId)).toMatchObject({ value: '{"apiKey":"one"}' });
  });

  it('has no way to read a value, nor to make one current', async () => {
    const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: 'x', RemoveFromVersionId: 'y' };
    for (const call of [
      client.send(new GetSecretValueCommand({ SecretId })),
      client.send(new GetSecretValueCommand({ SecretId, VersionStage: CANDIDATE_STAGE })),
      client.send(new UpdateSecretVersionStageCommand(move)),
    ])
      expect(await refusalOf(call)).toMatchObject({ name: 'UnknownOperationException' });
    for (const VersionStages of [['AWSCURRENT'], undefined]) {
      const call = client.send(new PutSecretValueCommand({ SecretId, SecretString: '{}', VersionStages }));
      expect(await refusalOf(call)).toMatchObject({ name: 'AccessDeniedException' });
    }
    expect(system.secrets.current(SecretId)).toMatchObject({ value: '{"apiKey":"one"}' });
  });

  it('knows no secret of the broker’s own', async () => {
    const kept = { SecretId: 'token-broker/books/kept' };
    const calls = [new DescribeSecretCommand(kept), new PutSecretValueCommand({ ...candidate, ...kept })] as const;
    for (const call of [client.send(calls[0]), client.send(calls[1])])
      expect(await refusalOf(call)).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('answers nobody who does not sign, and no page of another site', async () => {
    const headers = { 'x-amz-target': 'secretsmanager.DescribeSecret', 'content-type': 'application/x-amz-json-1.1' };
    const ask = (more: Record<string, string>) =>
      fetch(`${system.url}/`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify({ SecretId }) });

    expect((await ask({})).status).toBe(403);
    expect((await ask({ authorization: 'AWS4-HMAC-SHA256 Credential=local' })).status).toBe(403);
    expect((await fetch(`${system.url}/`)).headers.get('content-type')).toContain('text/html');
  });
});
