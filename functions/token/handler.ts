import { composeTokenFunction } from './compose.ts';

/** Lambda's entry: GET and POST /tokens/{connection}/{subject}. */
export const handler = composeTokenFunction({ environment: process.env });
