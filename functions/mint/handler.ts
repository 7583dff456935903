import { composeWarmMintFunction } from './function.ts';

/** Lambda's entry: one invocation, one attempt at most. */
export const handler = await composeWarmMintFunction({ environment: process.env });
