import { composeWarmTokenFunction } from './function.ts';

/** Lambda's entry: GET and POST /tokens/{connection}/{subject}. */
export const handler = await composeWarmTokenFunction({ environment: process.env });
