import { composeCanaryFunction } from './function.ts';

/** Lambda's entry: EventBridge Scheduler, every five minutes. */
export const handler = composeCanaryFunction({ environment: process.env });
