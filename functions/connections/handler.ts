import { composeConnectionsFunction } from './function.ts';

/** Lambda's entry: /connections, DELETE /tokens/{connection}/{subject}, and every 404 and 405. */
export const handler = composeConnectionsFunction({ environment: process.env });
