import { expect, it } from 'vitest';
import type { Store } from '../../../functions/core/slot/store.ts';
import { createRotationFunction } from '../../../functions/rotation/function.ts';
import { createLambdaContext } from '../../../local/lambda/lambda-context.ts';
import { helpdeskConnection } from '../../simulation/connections.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:';
const ELSEWHERE = 'arn:aws:secretsmanager:eu-west-1:210987654321:secret:';

/** True if an event with this secret id reaches the connection with this configured secret. */
async function reaches(configured: string, named: string): Promise<boolean> {
  const listed: string[] = [];
  const connection = helpdeskConnection({ secret: configured });
  // The only thing that a rotation asks of the store for a connection without slots.
  const store: Partial<Store> = {
    list: async (query) => {
      listed.push(query.connection);
      return { slots: [] };
    },
  };
  const rotation = createRotationFunction({
    store: store as Store,
    telemetry: { metrics: () => {}, warn: () => {}, info: () => {} },
    clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
    connections: { [connection.name]: connection },
  });
  const event = { detail: { requestParameters: { secretId: named } } };
  const context = createLambdaContext({ functionName: 'rotation', requestId: 'r', timeoutMs: 1_000, now: () => 0 });
  await rotation(event, context);
  return listed.length > 0;
}

it.each([
  ['a name by itself', 'prod-secret', 'prod-secret', true],
  ['a name by its ARN', 'prod-secret', `${ARN}prod-secret-AbC123`, true],
  ['a name by its ARN without the end', 'prod-secret', `${ARN}prod-secret`, true],
  ['an ARN by itself', `${ARN}prod-secret-AbC123`, `${ARN}prod-secret-AbC123`, true],
  ['an ARN by the name', `${ARN}prod-secret-AbC123`, 'prod-secret', true],
  ['an ARN without the end', `${ARN}prod-secret-AbC123`, `${ARN}prod-secret`, true],
  ['an ARN of another account with that name', `${ARN}prod-secret-AbC123`, `${ELSEWHERE}prod-secret-AbC123`, false],
  ['an ARN of a secret made anew under that name', `${ARN}prod-AbC123`, `${ARN}prod-XyZ789`, false],
  ['another name that looks like an end', `${ARN}prod-AbC123`, 'prod-secret', false],
  ['a name that is the beginning of another', 'prod', 'prod-secret', false],
])('a secret event finds %s', async (_what, configured, named, expected) => {
  expect(await reaches(configured, named)).toBe(expected);
});
