import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';
import { type LoopbackAws, type LoopbackAwsOptions, startLoopbackAws } from '../../../local/aws/loopback-aws.ts';
import { createMemorySecrets, type MemorySecrets } from '../../../local/secret-source.ts';

/** Configures an SDK client of a test. It tries once, so that each fault is seen. */
export function clientConfig(endpoint: string) {
  return {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
}

/** A loopback endpoint with the real SDK clients on it, all ended with the test. */
export interface Harness {
  readonly aws: LoopbackAws;
  readonly secrets: MemorySecrets;
  readonly secretsManager: SecretsManagerClient;
  readonly kms: KMSClient;
  readonly lambda: LambdaClient;
}

export async function startHarness(options: Partial<LoopbackAwsOptions> = {}): Promise<Harness> {
  const secrets = createMemorySecrets({ versionKey: Buffer.alloc(32, 1), now: () => 1_800_000_000_123 });
  const aws = await startLoopbackAws({ secrets, masterKey: Buffer.alloc(32, 2), functions: new Map(), ...options });
  const config = clientConfig(aws.endpoint);
  const harness = {
    aws,
    secrets,
    secretsManager: new SecretsManagerClient(config),
    kms: new KMSClient(config),
    lambda: new LambdaClient(config),
  };
  onTestFinished(async () => {
    harness.secretsManager.destroy();
    harness.kms.destroy();
    harness.lambda.destroy();
    await aws.close();
  });
  return harness;
}

/** Gives what a call was refused with: the error's name and message. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Error)) throw new Error('the call was not refused');
  const metadata = '$metadata' in thrown ? thrown.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name: thrown.name, message: thrown.message, status: typeof status === 'number' ? status : undefined };
}
