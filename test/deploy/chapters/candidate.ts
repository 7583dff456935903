import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Caller } from '../aws-calls.ts';
import { aws, type Environment } from '../place.ts';

const SECRET = ['--secret-id', 'token-broker/helpdesk'];
const LABEL = 'TOKENBROKER_CANDIDATE';
const written = z.object({ VersionId: z.string() });
const described = z.object({ VersionIdsToStages: z.record(z.string(), z.array(z.string())) });
const tried = z.object({ candidate: z.object({ version_id: z.string(), current: z.boolean() }) });

/**
 * Puts a wrong value and a right one as `secret set --check` does, and has each tried: the first changes nothing, and
 * the second is current. `accept` has the upstream take a credential.
 */
export async function checkCandidates(
  environment: Environment,
  call: Caller,
  accept: (credential: object) => Promise<void>,
): Promise<void> {
  const before = await currentOf(environment);
  const wrong = await put(environment, { apiKey: randomUUID() });
  assert.deepEqual(await tryIt(call), { version_id: wrong, current: false });
  assert.equal(await currentOf(environment), before, 'a wrong value is not current');

  const credential = { apiKey: randomUUID() };
  await accept(credential);
  const right = await put(environment, credential);
  assert.deepEqual(await tryIt(call), { version_id: right, current: true });
  assert.equal(await currentOf(environment), right, 'a value that the upstream takes is current');
}

async function put(environment: Environment, value: object): Promise<string> {
  const words = ['--secret-string', JSON.stringify(value), '--version-stages', LABEL];
  const output = await aws(environment, 'secretsmanager', 'put-secret-value', ...SECRET, ...words);
  return written.parse(JSON.parse(output)).VersionId;
}

async function currentOf(environment: Environment): Promise<string | undefined> {
  const output = await aws(environment, 'secretsmanager', 'describe-secret', ...SECRET);
  const { VersionIdsToStages } = described.parse(JSON.parse(output));
  return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
}

async function tryIt(call: Caller): Promise<object> {
  const headers = { 'content-type': 'application/json' };
  const { status, body } = await call('POST', '/connections/helpdesk/try', { headers, body: '{"candidate":true}' });
  assert.equal(status, 200, body);
  return tried.parse(JSON.parse(body)).candidate;
}
