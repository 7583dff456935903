import { composeTokenFunction } from '../../functions/token/function.ts';

/** The token function as it would be without the warm-up of its INIT. */
export const handler = composeTokenFunction({ environment: process.env });
