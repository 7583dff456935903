import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfiguration, serializeConfiguration } from '../../../functions/configuration/bundle.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { helpdesk, wfm } from './declared.ts';

const connection = fc.oneof(
  fc.record(
    {
      provider: fc.constant(helpdesk.provider),
      baseUrl: fc.constant(helpdesk.baseUrl),
      minTtlSeconds: fc.nat(300),
      refreshAfter: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      memorySeconds: fc.nat(60),
      secret: fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}$/),
      subjects: fc.constantFrom({ staff: true }, { system: false }, { staff: ['88', '1'] }),
      proxy: fc.constantFrom({}, { headers: ['x-a'] }),
      vpc: fc.constant('vpc-0123abcd'),
    },
    { requiredKeys: ['provider', 'baseUrl'] },
  ),
  fc.record(
    {
      provider: fc.constant(wfm.provider),
      baseUrl: fc.constant(wfm.baseUrl),
      keepAlivePath: fc.constant('/Ping'),
      loginParameter: fc.constantFrom('form', 'query', 'json'),
      lifetimeSeconds: fc.integer({ min: 600, max: 100_000 }),
    },
    { requiredKeys: ['provider', 'baseUrl'] },
  ),
);
const declaration = fc
  .dictionary(fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,10}$/), connection, {
    minKeys: 1,
    maxKeys: 4,
    noNullPrototype: true,
  })
  .chain((connections) =>
    fc.record({
      connections: fc.constant(connections),
      strictAudit: fc.boolean(),
      trust: fc.constantFrom(
        [],
        [
          {
            issuer: 'https://i.example.com',
            audience: 'a',
            subjectPattern: 'a|"\\\\',
            connections: Object.keys(connections).slice(0, 1),
            claims: { '"': 1 },
          },
        ],
      ),
    }),
  )
  // A trusted subject must be served by its connection.
  .filter(
    ({ connections, trust }) =>
      trust.length === 0 || !JSON.stringify(Object.values(connections)[0]).includes('"system":false'),
  );

describe('a configuration in a bundle', () => {
  it('comes back as it went in', () => {
    fc.assert(
      fc.property(declaration, (declared) => {
        const configuration = resolveConnections(declared);

        expect(parseConfiguration(serializeConfiguration(configuration))).toEqual(configuration);
      }),
    );
  });

  it('finds no connection under a name that every object has', () => {
    const { connections } = parseConfiguration(
      serializeConfiguration(resolveConnections({ connections: { it: helpdesk } })),
    );

    expect(connections['constructor']).toBeUndefined();
  });

  it.each([
    [
      'another format',
      JSON.stringify({ format: 999, configuration: {} }),
      /format 999, and this code reads format \d+.*deploy again/,
    ],
    ['no stamp', '{"connections":{}}', /format none/],
    ['null', 'null', /format none/],
    ['no JSON', '{"S3cret', /is not JSON/],
  ])('says so where it is %s, and quotes nothing', (_what, text, message) => {
    expect(() => parseConfiguration(text)).toThrow(message);
    expect(() => parseConfiguration(text)).not.toThrow(/S3cret/);
  });

  it('is read without the code that validates', async () => {
    const entry = new URL('../../../functions/configuration/bundle.ts', import.meta.url).pathname;
    const { metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      metafile: true,
      write: false,
      platform: 'node',
    });

    expect(Object.keys(metafile.inputs)).toHaveLength(1);
  });
});
