import { createLambdaClient, createLambdaMint } from '../adapters/lambda-mint.ts';
import { mintFunctionNames } from '../composition/function-names.ts';
import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createRefreshFunction, type RefreshHandler } from './refresh-function.ts';

/** Composes the function that the schedule runs from its environment. */
export function composeRefreshFunction(surroundings: Surroundings): RefreshHandler {
  const { environment } = surroundings;
  const minter = createLambdaMint({
    client: createLambdaClient(environment),
    functionNameOf: mintFunctionNames(environment),
  });
  return createRefreshFunction({ ...createInstance('refresh', surroundings), minter });
}
