import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, expect, it, vi } from 'vitest';

const readFile = vi.spyOn(fs, 'readFile');
syncBuiltinESMExports();
afterAll(() => {
  readFile.mockRestore();
  syncBuiltinESMExports();
});

// Loaded after that, since the SDK keeps the function that it finds.
const { GetItemCommand } = await import('@aws-sdk/client-dynamodb');
const { createDynamodbClient } = await import('../../../../functions/adapters/dynamodb/client.ts');

/** Lists the files that the SDK reads for a client and its first request. */
async function filesRead(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  readFile.mockClear();
  const client = createDynamodbClient(environment);
  client.middlewareStack.add(() => () => Promise.reject(new Error('Not sent.')), { step: 'deserialize' });
  await expect(client.send(new GetItemCommand({ TableName: 'table', Key: {} }))).rejects.toThrow();
  return readFile.mock.calls.map(([path]) => String(path));
}

it('looks for no profile where the environment has region and keys, as a function has', async () => {
  const keys = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'key' };

  expect(await filesRead(keys)).toEqual([]);
  expect(await filesRead({})).not.toEqual([]);
});
