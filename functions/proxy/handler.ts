import { composeProxyFunction } from './function.ts';

/** Lambda's entry: ANY /proxy/{connection}/{subject}/{path+}, for one isolation group. */
export const handler = composeProxyFunction({ environment: process.env });
