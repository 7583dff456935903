import { composeMintFunction } from './function.ts';

/** Lambda's entry: one invocation, one attempt at most. */
export const handler = composeMintFunction({ environment: process.env });
