import assert from 'node:assert/strict';
import * as z from 'zod';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster-knobs.ts';
import { callJson, createCaller } from '../aws-calls.ts';
import { createDeployment } from '../deployment.ts';
import { handedOutIn } from '../handed-out.ts';
import { aws, type Environment, type Place, urlOf } from '../place.ts';
import type { Report } from '../report.ts';
import { putSecret } from '../rights/use.ts';
import { until, writeConnections } from '../upstreams.ts';

const STACK = 'TokenBroker-token-broker-dev';
const SECRET = 'token-broker-dev/helpdesk';
const TOKEN_WITHIN_MS = 40_000;

/**
 * Puts a second stage beside the first by the document's step, after a first deployment of it that fails half-way. Gives
 * what takes it away again.
 */
export async function putSecondStage(
  report: Report,
  place: Place,
  administrator: Environment,
): Promise<{ destroy(): Promise<void> }> {
  const environment = { ...administrator, TOKEN_BROKER_CONNECTIONS: writeConnections(place, ['helpdesk']) };
  const deployment = createDeployment(environment);

  await report.step('A first deployment that fails half-way says why, and keeps nothing', async () => {
    const { code, output } = await deployment.attempt('second-stage', (commands) =>
      commands.replace('--stage dev', '--stage dev --context tokenConcurrency=50'),
    );
    assert.notEqual(code, 0);
    assert.match(output, /too few Lambda executions/);
    const events = await aws(environment, 'cloudformation', 'describe-stack-events', '--stack-name', STACK);
    const { StackEvents } = z
      .object({ StackEvents: z.array(z.object({ ResourceType: z.string(), ResourceStatus: z.string() })) })
      .parse(JSON.parse(events));
    const ofSecret = StackEvents.filter(({ ResourceType }) => ResourceType === 'AWS::SecretsManager::Secret');
    assert.ok(
      ofSecret.some(({ ResourceStatus }) => ResourceStatus === 'CREATE_COMPLETE'),
      'it failed before it made a secret, and proves nothing',
    );
    const { body } = await callJson(place.owner, 'secretsmanager.DescribeSecret', { SecretId: SECRET });
    assert.match(body, /ResourceNotFoundException/);
  });
  await report.step('It is repeated, and a second stage stands beside the first', async () => {
    await deployment.run('second-stage');
    await putSecret(environment, SECRET, demoHelpmasterSecret);
    const call = createCaller(await urlOf(environment, STACK), environment);
    await until(TOKEN_WITHIN_MS, async () => {
      const answer = await call('GET', '/tokens/helpdesk/system');
      return answer.status === 200 ? handedOutIn(answer.body) : undefined;
    });
  });
  return { destroy: () => deployment.run('destroy-stage').then(() => undefined) };
}
