/**
 * Everything that is loaded only to have a token minted. It is one chunk, since each file more costs a cold start
 * (`docs/performance.md`).
 */
export { createLambdaClient, createLambdaMint } from '../adapters/aws/lambda-mint.ts';
export { createRequestMint } from '../core/hand-out/request-mint.ts';
