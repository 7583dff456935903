import type { Environment } from '../adapters/aws/client.ts';
import type { MintInvoker } from '../core/slot/minter.ts';
import { mintFunctionNames } from './environment.ts';
import { once } from './once.ts';

/**
 * Creates the invoker of the `mint` functions. The Lambda client is loaded and made at the first invocation, which
 * hardly a request needs.
 */
export function createLazyMinter(environment: Environment): MintInvoker {
  const functionNameOf = mintFunctionNames(environment);
  const minter = once(async () => {
    const { createLambdaClient, createLambdaMint } = await import('./minting.ts');
    return createLambdaMint({ client: createLambdaClient(environment), functionNameOf });
  });
  return {
    invoke: async (connection, request, timeoutMs) => (await minter()).invoke(connection, request, timeoutMs),
    ask: async (connection, request) => (await minter()).ask(connection, request),
  };
}
