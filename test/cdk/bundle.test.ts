import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as kms from '@aws-sdk/client-kms';
import * as lambda from '@aws-sdk/client-lambda';
import * as secretsManager from '@aws-sdk/client-secrets-manager';
import { NormalizedSchema } from '@smithy/core/schema';
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

/** Reports whether the operation of an SDK command has a stream of events in its input or its answer. */
function streamsEvents(Command: unknown): boolean {
  // Every command of the SDK has its operation's schema: traits, input and output at the end.
  const { schema } = new (Command as new (input: object) => { readonly schema: readonly unknown[] })({});
  return schema.slice(-2).some((shape) => NormalizedSchema.of(shape as never).getEventStreamMember() !== '');
}

it('sends no operation of AWS that streams events, so it needs nothing that reads them', () => {
  const sources = globSync('functions/**/*.ts', { cwd: root }).map((path) => readFileSync(join(root, path), 'utf8'));
  const named = new Set(sources.flatMap((text) => text.match(/\b\w+Command\b/g) ?? []));
  const commands = Object.entries({ ...dynamodb, ...kms, ...lambda, ...secretsManager });
  const sent = commands.filter(([name]) => named.has(name));
  expect(sent.map(([name]) => name)).toEqual(expect.arrayContaining(['GetItemCommand', 'InvokeCommand']));
  expect(sent.filter(([, command]) => streamsEvents(command))).toEqual([]);
  expect(streamsEvents(lambda.InvokeWithResponseStreamCommand)).toBe(true);
});
