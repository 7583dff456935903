import { composeRotationFunction } from './function.ts';

/** Lambda's entry: EventBridge, where the account has a trail. */
export const handler = composeRotationFunction({ environment: process.env });
