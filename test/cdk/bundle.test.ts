import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../cdk/bundle.ts';

const root = join(import.meta.dirname, '../..');

// It sends every command of DynamoDB that a function sends.
it('discovers no endpoint of DynamoDB, so it needs no cache of them', () => {
  const options = bundleOptions('token', '/bundled');
  const { metafile } = buildSync({ ...options, mainFields: [...options.mainFields], write: false });
  const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) => Object.entries(output.inputs));
  const bundled = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const files = bundled.filter((path) => path.includes('/middleware-endpoint-discovery/'));
  // What the client reads of its settings, and neither the plugin nor the middleware.
  expect(files.map((path) => path.split('/').at(-1)).toSorted()).toEqual([
    'configurations.js',
    'resolveEndpointDiscoveryConfig.js',
  ]);
  expect(bundled).toContain('functions/adapters/dynamodb/no-endpoint-cache.ts');
});

it('takes the streams of the web out of what names none', () => {
  const sources = globSync('{functions,client}/**/*.ts', { cwd: root });
  expect(bundleOptions('token', '/bundled').define.ReadableStream).toBe('undefined');
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter((path) => readFileSync(join(root, path), 'utf8').includes('ReadableStream'))).toEqual([]);
});
