import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { createDeployment } from '../deployment.ts';
import { aws, type Environment, type Place } from '../place.ts';
import { readLedger, setKnobs, writeSecret } from '../upstreams.ts';

const SECRET = ['--secret-id', 'token-broker/helpdesk'];
/** Exit code of `secret set --check` where the upstream does not take the value. */
const NOT_TAKEN = 5;
const described = z.object({ VersionIdsToStages: z.record(z.string(), z.array(z.string())) });

/** Has a wrong value and a right one tried by the document's step: the first changes nothing, and the second is current. */
export async function checkCandidates(place: Place, environment: Environment): Promise<void> {
  const { url } = place.demo.helpmaster;
  const deployment = createDeployment(environment);
  const before = await currentOf(environment);

  const [loginsBefore, wrong] = [await loginsOf(url), { apiKey: randomUUID() }];
  writeSecret(place, 'helpdesk', wrong);
  const refused = await deployment.attempt('rotate-checked');
  assert.equal(refused.code, NOT_TAKEN, refused.output);
  assert.match(refused.output, /token-broker\/helpdesk is as it was/);
  assert.equal(await currentOf(environment), before, 'a wrong value is not current');
  assert.equal(await loginsOf(url), loginsBefore + 1, 'a wrong value costs one login');

  const credential = { apiKey: randomUUID() };
  await setKnobs(url, { credential });
  writeSecret(place, 'helpdesk', credential);
  const output = await deployment.run('rotate-checked');
  assert.match(output, /the upstream of helpdesk takes it, and it is current/);
  assert.notEqual(await currentOf(environment), before, 'a value that the upstream takes is current');
  for (const { apiKey } of [wrong, credential]) assert.ok(!(refused.output + output).includes(apiKey), 'it is quoted');
}

async function loginsOf(url: string): Promise<number> {
  return (await readLedger(url)).logins.length;
}

async function currentOf(environment: Environment): Promise<string | undefined> {
  const output = await aws(environment, 'secretsmanager', 'describe-secret', ...SECRET);
  const { VersionIdsToStages } = described.parse(JSON.parse(output));
  return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
}
