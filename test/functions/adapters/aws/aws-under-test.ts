import { randomBytes } from 'node:crypto';
import type { Environment } from '../../../../functions/adapters/aws/client.ts';
import type { Clock } from '../../../../functions/core/words/platform.ts';
import { startLoopbackAws } from '../../../../local/aws/loopback-aws.ts';
import type { LocalFunction } from '../../../../local/lambda/invoke.ts';
import { createMemorySecrets } from '../../../../local/secret-source.ts';

/** Starts a loopback endpoint with secrets and functions to change while it runs; secrets go by their names as they are. */
export async function startAwsUnderTest(masterKey = randomBytes(32)) {
  const secrets = createMemorySecrets({ versionKey: randomBytes(32), nameOf: (connection) => connection });
  const functions = new Map<string, LocalFunction>();
  const aws = await startLoopbackAws({ secrets, masterKey, functions });
  return { aws, secrets, functions, environment: environmentFor(aws.endpoint) };
}

/** The environment of a function whose AWS is at `endpoint`. */
export function environmentFor(endpoint: string): Environment {
  return {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
}

/** A clock that stands still until it is moved. */
export function createTestClock(): Clock & { advance(milliseconds: number): void } {
  let now = 1_800_000_000_000;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
    advance(milliseconds) {
      now += milliseconds;
    },
  };
}
