import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../cdk/bundle.ts';

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
