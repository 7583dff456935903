import { randomBytes } from 'node:crypto';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CANDIDATE_STAGE, createCandidates } from '../../../../functions/adapters/aws/candidates.ts';
import { createKeptSecretsClient } from '../../../../functions/adapters/aws/kept-secrets.ts';
import type { Candidates } from '../../../../functions/core/mint/secrets.ts';
import { type LoopbackAws, startLoopbackAws } from '../../../../local/aws/loopback-aws.ts';
import { createOperatorSecrets } from '../../../../local/aws/operator-secrets.ts';
import { createMemorySecrets, type MemorySecrets } from '../../../../local/secret-source.ts';
import { environmentFor } from './aws-under-test.ts';
import { retryAtOnce } from './retry-at-once.ts';

const NAME = 'token-broker/desk';

retryAtOnce();

let aws: LoopbackAws;
let secrets: MemorySecrets;
let client: ReturnType<typeof createKeptSecretsClient>;
let candidates: Candidates;

beforeEach(async () => {
  secrets = createMemorySecrets({ versionKey: randomBytes(32) });
  secrets.put('desk', { apiKey: 'one' });
  const operators = createOperatorSecrets(secrets);
  aws = await startLoopbackAws({ secrets, operators, masterKey: randomBytes(32), functions: new Map() });
  client = createKeptSecretsClient(environmentFor(aws.endpoint));
  candidates = createCandidates({ client });
});
afterEach(async () => {
  client.destroy();
  await aws.close();
});

async function put(apiKey: string, name = NAME): Promise<string> {
  const value = { SecretString: JSON.stringify({ apiKey }), VersionStages: [CANDIDATE_STAGE] };
  const { VersionId = '' } = await client.send(new PutSecretValueCommand({ SecretId: name, ...value }));
  return VersionId;
}

function currentId(): string {
  const current = secrets.current(NAME);
  return typeof current === 'object' ? current.versionId : '';
}

const isKey = (apiKey: string) => expect.objectContaining({ value: `{"apiKey":"${apiKey}"}` });

describe('a candidate in Secrets Manager', () => {
  it('is none until one is put, and is then found with its value and id, beside the current one', async () => {
    expect(await candidates.find(NAME)).toBeUndefined();
    const versionId = await put('two');
    const found = await candidates.find(NAME);

    expect(found?.versionId).toBe(versionId);
    expect(found?.value.reveal()).toBe('{"apiKey":"two"}');
    expect(secrets.current(NAME)).toEqual(isKey('one'));
  });

  it('gives its place to the next', async () => {
    await put('two');
    const versionId = await put('three');

    expect(await candidates.find(NAME)).toMatchObject({ versionId });
  });

  it('becomes current under its own id, while the version that was read is', async () => {
    const versionId = await put('two');

    expect(await candidates.promote(NAME, versionId, currentId())).toBe(true);
    expect(secrets.current(NAME)).toMatchObject({ versionId, value: '{"apiKey":"two"}' });
  });

  it('leaves another that became current since it was read', async () => {
    const [seen, versionId] = [currentId(), await put('two')];
    secrets.put('desk', { apiKey: 'three' });

    expect(await candidates.promote(NAME, versionId, seen)).toBe(false);
    expect(secrets.current(NAME)).toEqual(isKey('three'));
  });

  it('is known to be current where the reply of the move was lost', async () => {
    const [seen, versionId] = [currentId(), await put('two')];
    aws.faults.set('secretsmanager', { operation: 'UpdateSecretVersionStage', mode: 'lose-reply' });

    expect(await candidates.promote(NAME, versionId, seen)).toBe(true);
    expect(secrets.current(NAME)).toEqual(isKey('two'));
  });

  it('is told of where nothing was moved, by permission say, and stays a candidate', async () => {
    const [seen, versionId] = [currentId(), await put('two')];
    aws.faults.set('secretsmanager', { operation: 'UpdateSecretVersionStage', mode: 'deny' });

    await expect(candidates.promote(NAME, versionId, seen)).rejects.toMatchObject({
      code: 'secret_unavailable',
      detail: expect.stringContaining('UpdateSecretVersionStage'),
    });
    expect(secrets.current(NAME)).toEqual(isKey('one'));
    expect(await candidates.find(NAME)).toMatchObject({ versionId });
  });

  it('is withdrawn once, and no other in its place', async () => {
    const [first, second] = [await put('two'), await put('three')];
    await expect(candidates.withdraw(NAME, first)).rejects.toMatchObject({ code: 'secret_unavailable' });
    await candidates.withdraw(NAME, second);

    expect(await candidates.find(NAME)).toBeUndefined();
    expect(secrets.current(NAME)).toEqual(isKey('one'));
  });

  it('is current at once where it is the first value', async () => {
    secrets.empty('desk');
    const versionId = await put('two');

    expect(currentId()).toBe(versionId);
    expect(await candidates.find(NAME)).toMatchObject({ versionId });
  });

  it('cannot be found while Secrets Manager is down', async () => {
    aws.faults.set('secretsmanager', { operation: 'GetSecretValue', mode: 'down' });

    await expect(candidates.find(NAME)).rejects.toMatchObject({ code: 'secret_unavailable' });
  });
});
