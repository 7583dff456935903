import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { expect, it, onTestFinished } from 'vitest';
import { createFunctionCode } from '../../cdk/function-code.ts';
import { resolveConnections } from '../../functions/configuration/check.ts';
import { declared } from './deployed.ts';

it('refuses a function that is not built, rather than deploy its configuration alone', () => {
  const empty = mkdtempSync(join(tmpdir(), 'token-broker-unbuilt-'));
  onTestFinished(() => rmSync(empty, { recursive: true, force: true }));
  const stack = new Stack(new App({ outdir: join(empty, 'cdk.out') }));
  const codeOf = createFunctionCode(stack, resolveConnections({ connections: declared }), empty);

  expect(() => codeOf('token')).toThrow('The function token is not built: in a clone run `npm run build:functions`.');
});
