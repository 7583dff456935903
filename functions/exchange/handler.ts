import { composeExchangeFunction } from './function.ts';

/** Lambda's entry: POST /oauth2/token. */
export const handler = composeExchangeFunction({ environment: process.env });
