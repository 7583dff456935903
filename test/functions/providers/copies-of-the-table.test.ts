import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fieldsByProvider } from '../../../client/cli/secrets.ts';
import { kindsServedBy, secretFieldsOf } from '../../../functions/providers/provider.ts';
import { providers } from '../../../functions/providers/registry.ts';

/** A new provider is promised to be one file of fewer lines than this. */
const LINES_OF_A_PROVIDER = 40;

const source = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

// The client is delivered without the functions, and so repeats what it has to know of the providers.
describe('what the client repeats of the table of providers', () => {
  it('is the fields of every secret, in client/cli/secrets.ts', () => {
    const fields = Object.entries(providers).map(([name, provider]) => [name, secretFieldsOf(provider)]);
    expect(fieldsByProvider).toEqual(Object.fromEntries(fields));
  });

  it('is which provider serves staff, in client/dashboard/dashboard.ts', () => {
    const [, named] = /^const STAFF_PROVIDER = '([^']+)';$/m.exec(source('client/dashboard/dashboard.ts')) ?? [];
    const servingStaff = Object.entries(providers).filter(([, provider]) => kindsServedBy(provider).staff);
    expect(servingStaff.map(([name]) => name)).toEqual([named]);
  });
});

describe('the file of a provider', () => {
  const files = [...source('functions/providers/registry.ts').matchAll(/from '\.\/([a-z-]+\.ts)'/g)]
    .map(([, file = '']) => file)
    .filter((file) => file !== 'provider.ts');

  it('is there for each', () => {
    expect(files).toHaveLength(Object.keys(providers).length);
  });

  it.each(files)('%s has fewer than 40 lines', (file) => {
    expect(source(`functions/providers/${file}`).trimEnd().split('\n').length).toBeLessThan(LINES_OF_A_PROVIDER);
  });
});
