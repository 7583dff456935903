import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Preloaded by Node into every function that the emulator runs. The emulator verifies signatures, but puts no caller
// into the events of an HTTP API: here a function's entry is wrapped in one that does. What is deployed is unchanged.

const CALLER = 'arn:aws:iam::000000000000:user/deploy-test';
const { LAMBDA_TASK_ROOT = '' } = process.env;
const entry = pathToFileURL(join(LAMBDA_TASK_ROOT, 'index.mjs')).href;

const wrapped = `
  import { handler as deployed } from '${entry}?deployed';
  const authorizer = { iam: { userArn: '${CALLER}' } };
  export function handler(event, context) {
    if (event.requestContext !== undefined) event.requestContext.authorizer = authorizer;
    return deployed(event, context);
  }`;

registerHooks({
  load: (url, context, nextLoad) =>
    url === entry ? { format: 'module', source: wrapped, shortCircuit: true } : nextLoad(url, context),
});
