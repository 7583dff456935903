import { composeRotationFunction } from './function.ts';

/** Lambda's entry: EventBridge. */
export const handler = composeRotationFunction({ environment: process.env });
