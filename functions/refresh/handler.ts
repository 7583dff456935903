import { composeRefreshFunction } from './function.ts';

/** Lambda's entry: EventBridge Scheduler, every minute. */
export const handler = composeRefreshFunction({ environment: process.env });
