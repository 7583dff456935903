import type { Environment } from '../adapters/aws/client.ts';
import type { Keys } from '../core/slot/keys.ts';
import type { MintInvoker } from '../core/slot/minter.ts';
import type { Clock } from '../core/words/platform.ts';
import { required, VARIABLES } from './environment.ts';
import { mintFunctionNames } from './function-names.ts';

/**
 * The data keys of the broker. The KMS client is loaded and made when the first key is asked for: what is handed out
 * from memory needs none.
 */
export function lazyKeys(environment: Environment, { broker, clock }: { broker: string; clock: Clock }): Keys {
  const keyId = required(environment, VARIABLES.key);
  const keys = once(async () => {
    const { createKmsClient, createKmsKeys } = await import('../adapters/aws/kms-keys.ts');
    return createKmsKeys({ client: createKmsClient(environment), keyId, broker, clock });
  });
  return {
    generate: async (slot) => (await keys()).generate(slot),
    decrypt: async (slot, encrypted) => (await keys()).decrypt(slot, encrypted),
  };
}

/** The `mint` functions. The Lambda client is loaded and made at the first invocation, which hardly a request needs. */
export function lazyMinter(environment: Environment): MintInvoker {
  const functionNameOf = mintFunctionNames(environment);
  const minter = once(async () => {
    const { createLambdaClient, createLambdaMint } = await import('../adapters/aws/lambda-mint.ts');
    return createLambdaMint({ client: createLambdaClient(environment), functionNameOf });
  });
  return {
    invoke: async (connection, request, timeoutMs) => (await minter()).invoke(connection, request, timeoutMs),
    ask: async (connection, request) => (await minter()).ask(connection, request),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
